/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Limit*=, the limits of processes that setrlimit(2) knows, and Sysctl=, the kernel's settings that each
 * container has for itself. Units and suffixes are those of systemd.exec(5).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "basic/array.h"
#include "basic/parse.h"
#include "basic/quote.h"
#include "basic/string.h"
#include "spec/key-pairs.h"
#include "spec/key-types.h"
#include "spec/limits.h"

static int parse_bytes(const char *s, uint64_t *ret) {
        return parse_size(s, 1024, ret);
}

/* Whole seconds; a part of one counts as one. */
static int parse_seconds(const char *s, uint64_t *ret) {
        uint64_t usec;
        int r;

        r = parse_timespan(s, &usec);
        if (r < 0)
                return r;

        *ret = usec / USEC_PER_SEC + (usec % USEC_PER_SEC != 0);
        return 0;
}

/* Microseconds; a number without a unit is one of these. */
static int parse_usec(const char *s, uint64_t *ret) {
        int r;

        r = parse_u64(s, ret);

        return r == -EINVAL ? parse_timespan(s, ret) : r;
}

/* +N and -N are nice levels, N is the limit as setrlimit(2) takes it. */
static int parse_nice(const char *s, uint64_t *ret) {
        uint64_t value;
        int r;

        r = parse_u64(*s == '+' || *s == '-' ? s + 1 : s, &value);
        if (r < 0)
                return r;
        if (value > (*s == '+' ? 19 : *s == '-' ? 20 : 40))
                return -ERANGE;

        *ret = *s == '+' ? 20 - value : *s == '-' ? 20 + value : value;
        return 0;
}

static int parse_priority(const char *s, uint64_t *ret) {
        int r;

        r = parse_u64(s, ret);

        return r >= 0 && *ret > 99 ? -ERANGE : r;
}

#define FORM_BYTES(limit) { limit, parse_bytes, "", "bytes or a number with K, M, G or T (of 1024)" }
#define FORM_NUMBER(limit) { limit, parse_u64, "", "a number" }

const RlimitForm rlimit_cpu = { RLIMIT_CPU, parse_seconds, "s", "a time span, plain numbers being seconds" };
const RlimitForm rlimit_fsize = FORM_BYTES(RLIMIT_FSIZE);
const RlimitForm rlimit_data = FORM_BYTES(RLIMIT_DATA);
const RlimitForm rlimit_stack = FORM_BYTES(RLIMIT_STACK);
const RlimitForm rlimit_core = FORM_BYTES(RLIMIT_CORE);
const RlimitForm rlimit_rss = FORM_BYTES(RLIMIT_RSS);
const RlimitForm rlimit_nofile = FORM_NUMBER(RLIMIT_NOFILE);
const RlimitForm rlimit_as = FORM_BYTES(RLIMIT_AS);
const RlimitForm rlimit_nproc = FORM_NUMBER(RLIMIT_NPROC);
const RlimitForm rlimit_memlock = FORM_BYTES(RLIMIT_MEMLOCK);
const RlimitForm rlimit_locks = FORM_NUMBER(RLIMIT_LOCKS);
const RlimitForm rlimit_sigpending = FORM_NUMBER(RLIMIT_SIGPENDING);
const RlimitForm rlimit_msgqueue = FORM_BYTES(RLIMIT_MSGQUEUE);
const RlimitForm rlimit_nice = { RLIMIT_NICE, parse_nice, "", "a nice level with its sign, or 0 to 40" };
const RlimitForm rlimit_rtprio = { RLIMIT_RTPRIO, parse_priority, "", "a priority from 0 to 99" };
const RlimitForm rlimit_rttime = { RLIMIT_RTTIME, parse_usec, "us",
                                   "a time span, plain numbers being microseconds" };

/* Limit*= */

static int parse_bound(const RlimitForm *form, const char *s, rlim_t *ret) {
        uint64_t value;

        if (streq(s, "infinity")) {
                *ret = RLIM_INFINITY;
                return 0;
        }
        /* The largest number means infinity to the kernel and is not written as one. */
        if (form->parse(s, &value) < 0 || value == RLIM_INFINITY)
                return -EINVAL;

        *ret = value;
        return 0;
}

static Rlimit *find_rlimit(const Definition *definition, int resource) {
        for (size_t i = 0; i < definition->n_rlimits; i++)
                if (definition->rlimits[i].resource == resource)
                        return definition->rlimits + i;

        return NULL;
}

static int parse_rlimit(KeyContext *context, const char *value, void *field) {
        const RlimitForm *form = context->key->data;
        _cleanup_free_ char *copy = strdup(value);
        Definition *definition = field;
        struct rlimit limit;
        Rlimit *existing;
        char *hard;

        if (!copy)
                return -ENOMEM;
        hard = strchr(copy, ':');
        if (hard)
                *hard++ = '\0';

        if (parse_bound(form, copy, &limit.rlim_cur) < 0 ||
            parse_bound(form, hard ?: copy, &limit.rlim_max) < 0)
                return key_refuse_value(context, value,
                                        "cannot be used; it takes %s, or infinity, as one value or as "
                                        "SOFT:HARD",
                                        form->expected);
        if (limit.rlim_cur > limit.rlim_max)
                return key_refuse_value(context, value,
                                        "has a soft limit above the hard one; it is SOFT:HARD");

        existing = find_rlimit(definition, form->resource);
        if (existing) {
                existing->limit = limit;
                return 0;
        }

        return ARRAY_APPEND(definition->rlimits, definition->n_rlimits,
                            (Rlimit) { .resource = form->resource, .limit = limit });
}

static void reset_rlimit(const Key *key, void *field) {
        const RlimitForm *form = key->data;
        Definition *definition = field;
        Rlimit *existing = find_rlimit(definition, form->resource);

        if (existing)
                array_remove(&definition->rlimits, &definition->n_rlimits, sizeof(Rlimit),
                             (size_t) (existing - definition->rlimits));
}

static void print_bound(const RlimitForm *form, rlim_t bound, FILE *stream) {
        if (bound == RLIM_INFINITY)
                fputs("infinity", stream);
        else
                fprintf(stream, "%ju%s", (uintmax_t) bound, form->unit);
}

static int print_rlimit(const Key *key, const void *field, FILE *stream) {
        const RlimitForm *form = key->data;
        const Rlimit *rlimit = find_rlimit(field, form->resource);

        if (!rlimit)
                return 0;

        fprintf(stream, "%s=", key->name);
        print_bound(form, rlimit->limit.rlim_cur, stream);
        fputc(':', stream);
        print_bound(form, rlimit->limit.rlim_max, stream);
        fputc('\n', stream);

        return ferror(stream) ? -EIO : 0;
}

const KeyType key_type_rlimit = {
        .parse = parse_rlimit,
        .reset = reset_rlimit,
        .print = print_rlimit,
};

/* Sysctl= */

static bool sysctl_is_namespaced(const char *key) {
        static const char *const names[] = {
                "kernel.auto_msgmni", "kernel.domainname",  "kernel.hostname",        "kernel.msg_next_id",
                "kernel.msgmax",      "kernel.msgmnb",      "kernel.msgmni",          "kernel.sem",
                "kernel.sem_next_id", "kernel.shm_next_id", "kernel.shm_rmid_forced", "kernel.shmall",
                "kernel.shmmax",      "kernel.shmmni",
        };
        static const char *const prefixes[] = { "net.", "fs.mqueue.", "user." };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq(key, names[i]))
                        return true;
        for (size_t i = 0; i < ELEMENTSOF(prefixes); i++)
                if (string_after_prefix(key, prefixes[i]))
                        return true;

        return false;
}

/* Parts joined by dots; a part of an interface's name may hold "/", as sysctl(8) writes a dot in a name. */
static bool sysctl_name_is_valid(const char *key) {
        static const char letters[] =
                        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-:@/";

        for (;;) {
                size_t n = strspn(key, letters);

                if (n == 0 || key[0] == '/' || key[n - 1] == '/' || memmem(key, n, "//", 2))
                        return false;
                if (!key[n])
                        return true;
                if (key[n] != '.')
                        return false;
                key += n + 1;
        }
}

/* sysctl.d(5) knows names with slashes between the parts, too, which then mean dots and the other way round. */
static void sysctl_name_normalize(char *key) {
        if (key[strcspn(key, "./")] != '/')
                return;

        for (char *p = key; *p; p++)
                *p = *p == '/' ? '.' : *p == '.' ? '/' : *p;
}

static int sysctl_set(KeyContext *context, Definition *definition, const char *word, size_t name_length) {
        _cleanup_free_ char *key = strndup(word, name_length), *value = strdup(word + name_length + 1);

        if (!key || !value)
                return -ENOMEM;
        sysctl_name_normalize(key);
        if (!sysctl_name_is_valid(key))
                return key_refuse_value(context, key,
                                        "is not the name of a setting, such as net.ipv4.ip_forward");
        if (!sysctl_is_namespaced(key))
                return key_refuse_value(context, key,
                                        "is the whole machine's, not one container's; only net.*, user.*, "
                                        "fs.mqueue.*, kernel.hostname, kernel.domainname, kernel.sem* and "
                                        "the kernel.msg* and kernel.shm* limits can be set here");
        if (!*value || strlen(value) > SYSCTL_SIZE_MAX || !string_is_printable(value))
                return key_refuse_value(context, key, "needs a value of 1 to %d printable characters",
                                        SYSCTL_SIZE_MAX);

        if (definition->n_sysctls >= SYSCTLS_MAX)
                return key_refuse(context, "more than %d settings", SYSCTLS_MAX);

        return pairs_set_take(&definition->sysctls, &definition->n_sysctls, TAKE_PTR(key), TAKE_PTR(value));
}

static int parse_sysctl(KeyContext *context, const char *value, void *field) {
        int r;

        for (;;) {
                _cleanup_free_ char *word = NULL;
                size_t n;

                r = word_next(&value, &word);
                if (r < 0)
                        return r;
                if (r > 0)
                        return key_refuse(context, "%s", word_error_text(r));
                if (!word)
                        return 0;

                n = strcspn(word, "=");
                if (!word[n])
                        return key_refuse_value(context, word,
                                                "is not name=value; quote values that have spaces: "
                                                "\"kernel.sem=32000 1024000000 500 32000\"");
                r = sysctl_set(context, field, word, n);
                if (r != 0)
                        return r;
        }
}

static void reset_sysctl(const Key *key, void *field) {
        Definition *definition = field;

        pairs_clear(&definition->sysctls, &definition->n_sysctls);
}

static int print_sysctl(const Key *key, const void *field, FILE *stream) {
        const Definition *definition = field;

        return pairs_print(definition->sysctls, definition->n_sysctls, key->name, stream);
}

const KeyType key_type_sysctl = {
        .list = true,
        .parse = parse_sysctl,
        .reset = reset_sysctl,
        .print = print_sysctl,
};
