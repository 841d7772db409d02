/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kinds of value that rows of the key table refer to, with what each expects as the row's data. Private
 * to the table and the files that define the kinds.
 */
#pragma once

#include "spec/key.h"

/* key-values.c: of general use */

extern const KeyType key_type_text;      /* char *; one line */
extern const KeyType key_type_boolean;   /* bool */
extern const KeyType key_type_word;      /* an enum; data: KeyWords */
extern const KeyType key_type_flags;     /* unsigned; data: KeyWords, word i is bit i */
extern const KeyType key_type_path;      /* char *; data: KeyPathRule, or NULL for any path */
extern const KeyType key_type_name;      /* char *; data: KeyNameRule */
extern const KeyType key_type_names;     /* char **; data: KeyNameRule */
extern const KeyType key_type_bytes;     /* uint64_t */
extern const KeyType key_type_mode;      /* mode_t */
extern const KeyType key_type_delay;     /* uint64_t, microseconds */
extern const KeyType key_type_signal;    /* int */

/* Words by value; one that is NULL cannot be written. */
typedef struct KeyWords {
        const char *const *words;
        size_t n;
} KeyWords;

typedef struct KeyNameRule {
        bool (*is_valid)(const char *name);
        const char *rule; /* what would be valid, as a clause */
        size_t max;       /* for lists: how many */
} KeyNameRule;

typedef struct KeyPathRule {
        bool below_root; /* "/" itself is refused */
        bool descriptor; /* fd:NAME is one, too; see definition_descriptor() */
        bool device;     /* it lies below /dev, and is not what every container has there */
} KeyPathRule;

/* key-capabilities.c */

extern const KeyType key_type_capability_change; /* CapabilityChange */
extern const KeyType key_type_capability_set;    /* uint64_t */

/* key-container.c */

extern const KeyType key_type_command;     /* char ** */
extern const KeyType key_type_environment; /* the definition's environment; offset is not used */
extern const KeyType key_type_machine_id;  /* char * */
extern const KeyType key_type_include;     /* nothing: done while reading */

/* key-devices.c */

extern const KeyType key_type_access; /* unsigned: DeviceAccess */

/* Splits a command line. 0, KEY_E_VALUE or a negative errno; the words are the caller's, at least one. */
int key_parse_command(KeyContext *context, const char *value, char ***ret_words);

/* Writes it as "Key=words". */
int key_print_command(const Key *key, char *const *words, FILE *stream);

/* key-hooks.c */

extern const KeyType key_type_hook; /* HookList */

/* key-identity.c: the offset is not used */

extern const KeyType key_type_id_map;

/* key-security.c */

extern const KeyType key_type_lines; /* char **; each assignment is a line for a compiler */

/* key-resources.c: the definition's properties; the offset is not used, data: ResourceForm */

extern const KeyType key_type_property;       /* the last assignment counts */
extern const KeyType key_type_property_list;  /* assignments add up */

/* Turns VALUE into the text that systemd is given, which the caller frees. 0, -ENOMEM, or -EINVAL or
 * -ERANGE: then EXPECTED says what would be right. */
typedef struct ResourceForm {
        int (*normalise)(const char *value, char **ret);
        const char *expected;
} ResourceForm;

extern const ResourceForm resource_boolean, resource_weight, resource_io_weight, resource_quota,
                resource_period, resource_index_set, resource_memory, resource_memory_or_none,
                resource_tasks, resource_device_weight, resource_device_rate, resource_device_latency,
                resource_oom_mode, resource_oom_preference, resource_pressure;

/* key-limits.c: the definition's rlimits and sysctls; the offset is not used */

extern const KeyType key_type_rlimit; /* data: RlimitForm */
extern const KeyType key_type_sysctl;

typedef struct RlimitForm {
        int resource;
        int (*parse)(const char *s, uint64_t *ret);
        const char *unit;     /* what print puts behind the number */
        const char *expected;
} RlimitForm;

extern const RlimitForm rlimit_cpu, rlimit_fsize, rlimit_data, rlimit_stack, rlimit_core, rlimit_rss,
                rlimit_nofile, rlimit_as, rlimit_nproc, rlimit_memlock, rlimit_locks, rlimit_sigpending,
                rlimit_msgqueue, rlimit_nice, rlimit_rtprio, rlimit_rttime;
