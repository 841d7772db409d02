/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/serve/properties.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/cleanup.h"
#include "basic/parse.h"
#include "basic/string.h"
#include "spec/key.h"
#include "spec/limits.h"
#include "spec/load.h"
#include "spec/policy.h"

#define SECTION "Resources"
#define ROOT_WAY "in a definition below /etc/berth/containers or with systemctl set-property"
#define NONE UINT64_MAX     /* no limit, or nothing said: what systemd has for both */
#define WEIGHT_IDLE 0       /* CPUWeight=idle */
#define PERMYRIAD_ALL 10000 /* 100% */
#define USEC_PER_PERMYRIAD 100

typedef enum Kind {
        KIND_BOOLEAN, /* b */
        KIND_WEIGHT,  /* t */
        KIND_QUOTA,   /* t: microseconds in a second */
        KIND_PERIOD,  /* t: microseconds */
        KIND_SET,     /* ay */
        KIND_AMOUNT,  /* t; a percentage is u, of UINT32_MAX, under the name with "Scale" */
        KIND_TASKS,   /* the same */
        KIND_WORD,    /* s */
        KIND_SHARE,   /* u, of UINT32_MAX */
        _KIND_N,
} Kind;

/* What a variant of systemd's holds. */
static const char types[_KIND_N] = {
        [KIND_BOOLEAN] = 'b', [KIND_WEIGHT] = 't', [KIND_QUOTA] = 't', [KIND_PERIOD] = 't', [KIND_SET] = 'y',
        [KIND_AMOUNT] = 't',  [KIND_TASKS] = 't',  [KIND_WORD] = 's',  [KIND_SHARE] = 'u',
};

typedef struct Row {
        const char *key, *name; /* in [Resources], and systemd's */
        Kind kind;
        const char *scale; /* systemd's name for a percentage */
} Row;

#define SAME(name_, kind_)                                                                                  \
        { .key = name_, .name = name_, .kind = kind_ }
#define AMOUNT(name_, kind_)                                                                                \
        { .key = name_, .name = name_, .kind = kind_, .scale = name_ "Scale" }

/* The rows of the table of keys that an untrusted definition may use; the unit test compares the two. */
static const Row rows[] = {
        SAME("CPUAccounting", KIND_BOOLEAN),
        SAME("CPUWeight", KIND_WEIGHT),
        SAME("StartupCPUWeight", KIND_WEIGHT),
        {.key = "CPUQuota",           .name = "CPUQuotaPerSecUSec", .kind = KIND_QUOTA },
        { .key = "CPUQuotaPeriodSec", .name = "CPUQuotaPeriodUSec", .kind = KIND_PERIOD},
        SAME("AllowedCPUs", KIND_SET),
        SAME("StartupAllowedCPUs", KIND_SET),
        SAME("AllowedMemoryNodes", KIND_SET),
        SAME("StartupAllowedMemoryNodes", KIND_SET),
        SAME("MemoryAccounting", KIND_BOOLEAN),
        AMOUNT("MemoryHigh", KIND_AMOUNT),
        AMOUNT("MemoryMax", KIND_AMOUNT),
        AMOUNT("MemorySwapMax", KIND_AMOUNT),
        SAME("TasksAccounting", KIND_BOOLEAN),
        AMOUNT("TasksMax", KIND_TASKS),
        SAME("IOAccounting", KIND_BOOLEAN),
        SAME("IOWeight", KIND_WEIGHT),
        SAME("StartupIOWeight", KIND_WEIGHT),
        SAME("IPAccounting", KIND_BOOLEAN),
        SAME("ManagedOOMSwap", KIND_WORD),
        SAME("ManagedOOMMemoryPressure", KIND_WORD),
        SAME("ManagedOOMMemoryPressureLimit", KIND_SHARE),
};

static const Row *row_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (streq(rows[i].key, name) || streq(rows[i].name, name))
                        return rows + i;

        return NULL;
}

/* From normalised text */

static uint64_t scale_of(uint64_t permyriad) {
        return (permyriad * UINT32_MAX + PERMYRIAD_ALL / 2) / PERMYRIAD_ALL;
}

/* "0-3 8", as the key's parser leaves it. */
static int convert_set(const char *value, Property *property) {
        while (*value) {
                uint32_t first, last;
                int n = 0;

                if (sscanf(value, "%" SCNu32 "%n", &first, &n) != 1)
                        return -EINVAL;
                value += n;
                last = first;
                if (*value == '-') {
                        if (sscanf(value + 1, "%" SCNu32 "%n", &last, &n) != 1)
                                return -EINVAL;
                        value += 1 + n;
                }
                if (last < first || last >= PROPERTY_BYTES_MAX * 8)
                        return -EINVAL;
                for (uint32_t i = first; i <= last; i++)
                        property->bytes[i / 8] |= (uint8_t) (1U << (i % 8));
                if (property->n_bytes <= last / 8)
                        property->n_bytes = last / 8 + 1;
                value += strspn(value, " ");
        }

        return 0;
}

static int convert_amount(const Row *row, const char *value, Property *property) {
        uint64_t permyriad;

        if (streq(value, "infinity")) {
                property->number = NONE;
                return 0;
        }
        if (parse_permyriad(value, &permyriad) < 0)
                return parse_u64(value, &property->number);

        property->name = row->scale;
        property->type = 'u';
        property->number = scale_of(permyriad);

        return permyriad <= PERMYRIAD_ALL ? 0 : -EINVAL;
}

static int convert_word(const char *value, Property *property) {
        static const char *const words[] = { "auto", "kill" };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (streq(words[i], value)) {
                        property->word = words[i];
                        return 0;
                }

        return -EINVAL;
}

static int convert(const Row *row, const char *value, Property *property) {
        bool on = false;
        int r = -EINVAL;

        *property = (Property){ .name = row->name, .type = types[row->kind] };

        switch (row->kind) {
        case KIND_BOOLEAN:
                r = parse_boolean(value, &on);
                property->number = on;
                break;
        case KIND_WEIGHT:
                property->number = WEIGHT_IDLE;
                r = streq(value, "idle") ? 0 : parse_u64(value, &property->number);
                break;
        case KIND_QUOTA:
                r = parse_permyriad(value, &property->number);
                property->number *= USEC_PER_PERMYRIAD;
                break;
        case KIND_PERIOD:
                r = parse_timespan(value, &property->number);
                break;
        case KIND_SET:
                r = convert_set(value, property);
                break;
        case KIND_AMOUNT:
        case KIND_TASKS:
                r = convert_amount(row, value, property);
                break;
        case KIND_WORD:
                r = convert_word(value, property);
                break;
        case KIND_SHARE:
                r = parse_permyriad(value, &property->number);
                property->number = scale_of(property->number);
                break;
        case _KIND_N:
                break;
        }

        return r < 0 ? -EINVAL : 0;
}

int property_convert(const char *name, const char *value, Property *ret) {
        const Row *row = row_find(name);

        return row ? convert(row, value, ret) : -EINVAL;
}

/* The default of a property, 0 or PROPERTY_E_VALUE when only systemd's configuration knows it. */
static int set_default(const Row *row, Property *property, char *why) {
        *property = (Property){ .name = row->name, .type = types[row->kind], .number = NONE };

        switch (row->kind) {
        case KIND_TASKS:
                property->number = TASKS_MAX_DEFAULT;
                break;
        case KIND_WORD:
                property->word = "auto";
                break;
        case KIND_SHARE:
                property->number = 0;
                break;
        case KIND_BOOLEAN:
                (void) snprintf(why, PROPERTY_WHY_SIZE, "%s takes yes or no", row->key);
                return PROPERTY_E_VALUE;
        case KIND_WEIGHT:
        case KIND_QUOTA:
        case KIND_PERIOD:
        case KIND_SET:
        case KIND_AMOUNT:
        case _KIND_N:
                break;
        }

        return 0;
}

/* The value goes the way that it would go in a definition of a user's, which is the one place where values
 * are judged. */
static int judge(const Row *row, const char *value, char **ret_value, char *why) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        _cleanup_free_ char *text = NULL;
        const Key *key = key_find(SECTION, row->key);
        int r;

        text = string_printf("[Root]\nManaged=yes\n[" SECTION "]\n%s=%s\n", row->key, value);
        if (!text)
                return -ENOMEM;
        r = definition_load_text("property", "property", text, strlen(text), false, &definition, &problems);
        if (r < 0)
                return r;
        if (r > 0 || definition->n_properties != 1 || !key) {
                (void) snprintf(why, PROPERTY_WHY_SIZE, "%s=: %s", row->key,
                                problems.n > 0 ? problems.list[0].text : "it takes one value");
                return PROPERTY_E_VALUE;
        }
        r = policy_check(definition, &problems);
        if (r < 0)
                return r;
        if (r > 0) {
                (void) snprintf(why, PROPERTY_WHY_SIZE, "%s=: only root may go beyond %s, " ROOT_WAY, row->key,
                                key->trust == TRUST_TASKS ? "16384" : "100");
                return PROPERTY_E_LIMIT;
        }

        *ret_value = strdup(definition->properties[0].value);
        return *ret_value ? 0 : -ENOMEM;
}

int property_parse(const char *name, const char *value, Property *ret, char why[static PROPERTY_WHY_SIZE]) {
        _cleanup_free_ char *normalised = NULL;
        const Row *row = row_find(name);
        const Key *key;
        int r;

        if (!row) {
                key = key_find(SECTION, name);
                if (key && key->live) {
                        (void) snprintf(why, PROPERTY_WHY_SIZE,
                                        "%s= is for root alone, " ROOT_WAY, key->name);
                        return PROPERTY_E_ROOT;
                }
                (void) snprintf(why, PROPERTY_WHY_SIZE,
                                "%.64s is no property that can change while a container runs", name);
                return PROPERTY_E_UNKNOWN;
        }
        if (!*value)
                return set_default(row, ret, why);
        if (!string_is_printable(value) || strlen(value) > TEXT_SIZE_MAX || string_ends_with(value, "\\")) {
                (void) snprintf(why, PROPERTY_WHY_SIZE, "%s=: the value cannot be used", row->key);
                return PROPERTY_E_VALUE;
        }

        r = judge(row, value, &normalised, why);
        if (r != 0)
                return r;

        return convert(row, normalised, ret);
}

/* From systemd's types to text */

static int text_of_number(const Row *row, uint64_t number, char **ret) {
        char *text = NULL;

        switch (row->kind) {
        case KIND_BOOLEAN:
                text = strdup(number ? "yes" : "no");
                break;
        case KIND_WEIGHT:
                text = number == NONE          ? strdup("")
                       : number == WEIGHT_IDLE ? strdup("idle")
                                               : string_printf("%" PRIu64, number);
                break;
        case KIND_QUOTA:
                if (number != NONE && number % USEC_PER_PERMYRIAD != 0)
                        return -EINVAL;
                number /= USEC_PER_PERMYRIAD;
                text = number == NONE / USEC_PER_PERMYRIAD ? strdup("")
                                                           : string_printf("%" PRIu64 ".%02" PRIu64 "%%",
                                                                           number / 100, number % 100);
                break;
        case KIND_PERIOD:
                text = number == NONE ? strdup("") : string_printf("%" PRIu64 "us", number);
                break;
        case KIND_AMOUNT:
        case KIND_TASKS:
                text = number == NONE ? strdup("infinity") : string_printf("%" PRIu64, number);
                break;
        case KIND_SHARE:
                number = (number * PERMYRIAD_ALL + UINT32_MAX / 2) / UINT32_MAX;
                text = string_printf("%" PRIu64 ".%02" PRIu64 "%%", number / 100, number % 100);
                break;
        case KIND_SET:
        case KIND_WORD:
        case _KIND_N:
                return -EINVAL;
        }
        if (!text)
                return -ENOMEM;

        *ret = text;
        return 0;
}

static int text_of_set(const uint8_t *bytes, size_t n, char **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        FILE *stream;

        if (n > PROPERTY_BYTES_MAX)
                return -EINVAL;
        stream = open_memstream(&text, &size);
        if (!stream)
                return -ENOMEM;

        for (size_t i = 0; i < n * 8; i++) {
                size_t last = i;

                if (!(bytes[i / 8] & (1U << (i % 8))))
                        continue;
                while (last + 1 < n * 8 && bytes[(last + 1) / 8] & (1U << ((last + 1) % 8)))
                        last++;
                fprintf(stream, last > i ? "%zu-%zu " : "%zu ", i, last);
                i = last;
        }
        if (fclose(stream) != 0)
                return -ENOMEM;

        *ret = TAKE_PTR(text);
        return 0;
}

/* The value in the variant that begins here, as text. -EINVAL: not of a type that this property has. */
static int read_value(sd_bus_message *message, const Row *row, char type, const char *contents, char **ret) {
        const void *bytes;
        const char *text;
        uint64_t number = 0;
        uint32_t small = 0;
        size_t n;
        int r;

        if (streq(contents, "s")) {
                r = sd_bus_message_read_basic(message, 's', &text);
                if (r < 0)
                        return r;
                *ret = strdup(text);
                return *ret ? 0 : -ENOMEM;
        }
        if (type == 'y' && streq(contents, "ay")) {
                r = sd_bus_message_read_array(message, 'y', &bytes, &n);
                return r < 0 ? r : text_of_set(bytes, n, ret);
        }
        if (contents[0] != type || contents[1])
                return -EINVAL;

        r = sd_bus_message_read_basic(message, type, type == 't' ? (void *) &number : (void *) &small);
        if (r < 0)
                return r;

        return text_of_number(row, type == 't' ? number : small, ret);
}

int property_read(sd_bus_message *message, Property *ret, char why[static PROPERTY_WHY_SIZE]) {
        _cleanup_free_ char *value = NULL;
        const char *name, *contents;
        const Row *row;
        char type;
        int r;

        r = sd_bus_message_enter_container(message, 'r', "sv");
        if (r < 0)
                return r;
        r = sd_bus_message_read_basic(message, 's', &name);
        if (r < 0)
                return r;
        row = row_find(name);
        if (!row)
                return property_parse(name, "", ret, why);

        r = sd_bus_message_peek_type(message, &type, &contents);
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(message, 'v', contents);
        if (r < 0)
                return r;
        r = read_value(message, row, types[row->kind], contents, &value);
        if (r == -EINVAL) {
                (void) snprintf(why, PROPERTY_WHY_SIZE,
                                "%s takes a string as in a definition, or systemd's own type and values",
                                row->name);
                return PROPERTY_E_VALUE;
        }
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(message);
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(message);
        if (r < 0)
                return r;

        return property_parse(name, value, ret, why);
}

int property_append(sd_bus_message *message, const Property *property) {
        switch (property->type) {
        case 'b':
                return sd_bus_message_append(message, "(sv)", property->name, "b", (int) property->number);
        case 's':
                return sd_bus_message_append(message, "(sv)", property->name, "s", property->word);
        case 'u':
                return sd_bus_message_append(
                                message, "(sv)", property->name, "u", (uint32_t) property->number);
        case 't':
                return sd_bus_message_append(message, "(sv)", property->name, "t", property->number);
        default:
                break;
        }

        /* An array: there is no format for one that is not listed. */
        if (sd_bus_message_open_container(message, 'r', "sv") < 0 ||
            sd_bus_message_append_basic(message, 's', property->name) < 0 ||
            sd_bus_message_open_container(message, 'v', "ay") < 0 ||
            sd_bus_message_append_array(message, 'y', property->bytes, property->n_bytes) < 0 ||
            sd_bus_message_close_container(message) < 0)
                return -ENOMEM;

        return sd_bus_message_close_container(message);
}
