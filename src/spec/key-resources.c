/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Resource-control properties of systemd: each value is checked as systemd would, and kept as a text that it
 * takes for sure, without specifiers, quotes or anything else that a unit file gives a meaning to. See
 * systemd.resource-control(5) for what they do.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "basic/array.h"
#include "basic/parse.h"
#include "basic/string.h"
#include "spec/key-types.h"
#include "spec/limits.h"

#define CPU_INDEX_MAX 8191
#define PERMYRIAD_ALL 10000

static int give(char **ret, char *text) {
        if (!text)
                return -ENOMEM;

        *ret = text;
        return 0;
}

static int give_u64(char **ret, uint64_t value, const char *unit) {
        return give(ret, string_printf("%" PRIu64 "%s", value, unit));
}

static int give_permyriad(char **ret, uint64_t value) {
        if (value % 100 == 0)
                return give_u64(ret, value / 100, "%");

        return give(ret, string_printf("%" PRIu64 ".%02" PRIu64 "%%", value / 100, value % 100));
}

static int normalise_boolean(const char *value, char **ret) {
        bool on;

        if (parse_boolean(value, &on) < 0)
                return -EINVAL;

        return give(ret, strdup(on ? "yes" : "no"));
}

const ResourceForm resource_boolean = { normalise_boolean, "yes or no" };

static int normalise_io_weight(const char *value, char **ret) {
        uint64_t weight;

        if (parse_u64(value, &weight) < 0 || weight < 1 || weight > 10000)
                return -EINVAL;

        return give_u64(ret, weight, "");
}

const ResourceForm resource_io_weight = { normalise_io_weight, "a weight from 1 to 10000" };

static int normalise_weight(const char *value, char **ret) {
        return streq(value, "idle") ? give(ret, strdup(value)) : normalise_io_weight(value, ret);
}

const ResourceForm resource_weight = { normalise_weight, "a weight from 1 to 10000, or idle" };

static int normalise_quota(const char *value, char **ret) {
        uint64_t quota;

        if (parse_permyriad(value, &quota) < 0 || quota == 0 || quota > INT32_MAX)
                return -EINVAL;

        return give_permyriad(ret, quota);
}

const ResourceForm resource_quota = { normalise_quota, "a percentage of one processor, such as 50% or "
                                                       "200%" };

static int normalise_period(const char *value, char **ret) {
        uint64_t usec;

        if (parse_timespan(value, &usec) < 0 || usec < USEC_PER_MSEC || usec > USEC_PER_SEC)
                return -EINVAL;

        return give_u64(ret, usec, "us");
}

const ResourceForm resource_period = { normalise_period, "a time span from 1ms to 1s" };

static int normalise_index_set(const char *value, char **ret) {
        _cleanup_free_ char *copy = strdup(value), *set = NULL;
        char *rest = copy;
        const char *part;

        if (!copy)
                return -ENOMEM;

        while ((part = strsep(&rest, WHITESPACE ","))) {
                uint32_t first, last;
                char *dash, *longer;

                if (!*part)
                        continue;
                dash = strchr(part, '-');
                if (dash)
                        *dash = '\0';
                if (parse_u32(part, &first) < 0)
                        return -EINVAL;
                last = first;
                if (dash && parse_u32(dash + 1, &last) < 0)
                        return -EINVAL;
                if (last < first || last > CPU_INDEX_MAX)
                        return -EINVAL;

                longer = first == last ? string_printf("%s%s%" PRIu32, set ?: "", set ? " " : "", first)
                                       : string_printf("%s%s%" PRIu32 "-%" PRIu32, set ?: "", set ? " " : "",
                                                       first, last);
                if (!longer)
                        return -ENOMEM;
                free(set);
                set = longer;
                if (strlen(set) > TEXT_SIZE_MAX)
                        return -EINVAL;
        }
        if (!set)
                return -EINVAL;

        return give(ret, TAKE_PTR(set));
}

const ResourceForm resource_index_set = { normalise_index_set, "numbers and ranges, such as 0-3 8" };

static int normalise_memory_or_none(const char *value, char **ret) {
        uint64_t number;

        if (streq(value, "infinity"))
                return give(ret, strdup(value));
        if (parse_permyriad(value, &number) >= 0 && number <= PERMYRIAD_ALL)
                return give_permyriad(ret, number);
        if (parse_size(value, 1024, &number) >= 0 && number < UINT64_MAX)
                return give_u64(ret, number, "");

        return -EINVAL;
}

const ResourceForm resource_memory_or_none = {
        normalise_memory_or_none,
        "bytes, a number with K, M, G or T (of 1024), a percentage up to 100%, or infinity",
};

static int normalise_memory(const char *value, char **ret) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = normalise_memory_or_none(value, &text);
        if (r < 0)
                return r;
        if (streq(text, "0") || streq(text, "0%"))
                return -EINVAL;

        return give(ret, TAKE_PTR(text));
}

const ResourceForm resource_memory = {
        normalise_memory,
        "bytes above 0, a number with K, M, G or T (of 1024), a percentage up to 100%, or infinity",
};

static int normalise_tasks(const char *value, char **ret) {
        uint64_t number;

        if (streq(value, "infinity"))
                return give(ret, strdup(value));
        if (parse_permyriad(value, &number) >= 0 && number > 0 && number <= PERMYRIAD_ALL)
                return give_permyriad(ret, number);
        if (parse_u64(value, &number) >= 0 && number > 0 && number < UINT64_MAX)
                return give_u64(ret, number, "");

        return -EINVAL;
}

const ResourceForm resource_tasks = { normalise_tasks, "a number from 1, a percentage up to 100%, or "
                                                       "infinity" };

/* "PATH VALUE": *RET_REST is VALUE. Paths with characters that a unit file gives a meaning to are
 * refused. */
static int split_device(const char *value, char **ret_path, const char **ret_rest) {
        size_t n = strcspn(value, WHITESPACE);

        if (*value != '/' || !value[n] || n >= PATH_SIZE_MAX || strcspn(value, "%\"'\\") < n)
                return -EINVAL;

        *ret_path = strndup(value, n);
        *ret_rest = value + n + strspn(value + n, WHITESPACE);

        return *ret_path ? 0 : -ENOMEM;
}

static int join_device(const char *value, int (*normalise)(const char *value, char **ret), char **ret) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        const char *rest;
        int r;

        r = split_device(value, &path, &rest);
        if (r < 0)
                return r;
        r = normalise(rest, &text);
        if (r < 0)
                return r;

        return give(ret, string_printf("%s %s", path, text));
}

static int normalise_rate_value(const char *value, char **ret) {
        uint64_t rate;

        if (streq(value, "infinity"))
                return give(ret, strdup(value));
        if (parse_size(value, 1000, &rate) < 0 || rate == 0 || rate == UINT64_MAX)
                return -EINVAL;

        return give_u64(ret, rate, "");
}

static int normalise_latency_value(const char *value, char **ret) {
        uint64_t usec;

        if (parse_timespan(value, &usec) < 0 || usec == 0)
                return -EINVAL;

        return give_u64(ret, usec, "us");
}

static int normalise_device_weight(const char *value, char **ret) {
        return join_device(value, normalise_io_weight, ret);
}

static int normalise_device_rate(const char *value, char **ret) {
        return join_device(value, normalise_rate_value, ret);
}

static int normalise_device_latency(const char *value, char **ret) {
        return join_device(value, normalise_latency_value, ret);
}

const ResourceForm resource_device_weight = {
        normalise_device_weight,
        "the path of a device and a weight from 1 to 10000, such as /dev/sda 200",
};
const ResourceForm resource_device_rate = {
        normalise_device_rate,
        "the path of a device and a number per second with K, M, G or T (of 1000) or infinity, such as "
        "/dev/sda 5M",
};
const ResourceForm resource_device_latency = {
        normalise_device_latency,
        "the path of a device and a time span, such as /dev/sda 25ms",
};

static int normalise_oom_mode(const char *value, char **ret) {
        if (!streq(value, "auto") && !streq(value, "kill"))
                return -EINVAL;

        return give(ret, strdup(value));
}

const ResourceForm resource_oom_mode = { normalise_oom_mode, "auto or kill" };

static int normalise_oom_preference(const char *value, char **ret) {
        if (!streq(value, "none") && !streq(value, "avoid") && !streq(value, "omit"))
                return -EINVAL;

        return give(ret, strdup(value));
}

const ResourceForm resource_oom_preference = { normalise_oom_preference, "none, avoid or omit" };

static int normalise_pressure(const char *value, char **ret) {
        uint64_t limit;

        if (parse_permyriad(value, &limit) < 0 || limit > PERMYRIAD_ALL)
                return -EINVAL;

        return give_permyriad(ret, limit);
}

const ResourceForm resource_pressure = { normalise_pressure, "a percentage up to 100%" };

/* The key types */

static void reset_property(const Key *key, void *field) {
        Definition *definition = field;

        for (size_t i = definition->n_properties; i > 0; i--)
                if (streq(definition->properties[i - 1].name, key->name)) {
                        free(definition->properties[i - 1].value);
                        array_remove(&definition->properties, &definition->n_properties,
                                     sizeof(ResourceProperty), i - 1);
                }
}

static int parse_property(KeyContext *context, const char *value, void *field) {
        const ResourceForm *form = context->key->data;
        _cleanup_free_ char *text = NULL;
        Definition *definition = field;
        int r;

        r = form->normalise(value, &text);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return key_refuse_value(context, value, "cannot be used; it takes %s", form->expected);

        if (!context->key->type->list)
                reset_property(context->key, field);
        if (definition->n_properties >= PROPERTIES_MAX)
                return key_refuse(context, "more than %d resource settings", PROPERTIES_MAX);

        r = ARRAY_APPEND(definition->properties, definition->n_properties,
                         (ResourceProperty) { .name = context->key->name, .value = text });
        if (r < 0)
                return r;
        text = NULL;

        return 0;
}

static int print_property(const Key *key, const void *field, FILE *stream) {
        const Definition *definition = field;

        for (size_t i = 0; i < definition->n_properties; i++)
                if (streq(definition->properties[i].name, key->name))
                        fprintf(stream, "%s=%s\n", key->name, definition->properties[i].value);

        return ferror(stream) ? -EIO : 0;
}

const KeyType key_type_property = {
        .parse = parse_property,
        .reset = reset_property,
        .print = print_property,
};

const KeyType key_type_property_list = {
        .list = true,
        .parse = parse_property,
        .reset = reset_property,
        .print = print_property,
};
