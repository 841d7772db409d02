/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of keys: one row says everything that is to be known about a key. Reading, printing, the policy,
 * the manual page's test and "did you mean" all work from it; nothing else lists keys.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "spec/definition.h"
#include "spec/problems.h"

/* What an untrusted definition may do with a key. The rules are in policy.c. */
typedef enum KeyTrust {
        TRUST_ANYONE,          /* any value */
        TRUST_ROOT,            /* not set it at all */
        TRUST_USER_NAMESPACE,  /* only yes */
        TRUST_DESCRIPTOR,      /* only fd:NAME */
        TRUST_ID_OUTSIDE,      /* only auto as the outside of a range */
        TRUST_WEIGHT,          /* no more than the default, 100 */
        TRUST_TASKS,           /* no more than the default, 16384 */
        TRUST_SECCOMP,         /* only default */
        TRUST_KEYRING,         /* only private */
        TRUST_CAPABILITIES,    /* none beyond the default ones */
        TRUST_APPARMOR,        /* only generated */
        _KEY_TRUST_N,
} KeyTrust;

typedef struct Key Key;

/* What a parser works with. */
typedef struct KeyContext {
        Definition *definition;
        const Key *key;
        Origin origin;
        Problems *problems;
        /* Reads another file in place; NULL where that cannot be. */
        int (*include)(struct KeyContext *context, const char *path);
        void *userdata;
} KeyContext;

typedef struct KeyType {
        size_t size;       /* of the field; what reset stores from the defaults when it has no function */
        bool list;         /* assignments add up; the origins of all of them are kept */
        bool action;       /* there is no value: assigning does something, and nothing is remembered */

        /* Takes a value that is not empty into FIELD. 0, a negative errno, or KEY_E_VALUE after it has
         * told. */
        int (*parse)(KeyContext *context, const char *value, void *field);

        /* Back to the default. NULL: SIZE bytes are copied from the default. */
        void (*reset)(const Key *key, void *field);

        /* Writes the field as lines "Key=value", such that parsing them gives the same. */
        int (*print)(const Key *key, const void *field, FILE *stream);
} KeyType;

enum {
        KEY_E_VALUE = 1, /* the value was refused and the problem noted */
};

struct Key {
        const char *section, *name;
        const KeyType *type;
        size_t offset;    /* in Definition, or in the section's entry if it may come more than once */
        const void *data; /* what the type needs to know: words, a bit, a function */
        KeyTrust trust;
        bool live;        /* a change can take effect while the container runs */
        const char *doc;  /* one line; the manual page says it all */
};

#define SECTION_MOUNT "Mount"
#define SECTION_DEVICE "Device"

/* A section that may come more than once: the definition has an array of entries for it. */
typedef struct KeyList {
        const char *section;
        size_t array, n; /* offsets in Definition of the array and its count */
        size_t size;     /* of an entry */
        size_t origin;   /* the offset in it of the section's own Origin */
        const void *empty; /* an entry that says nothing */
        size_t max;
} KeyList;

extern const KeyList key_lists[];
extern const size_t n_key_lists;

/* NULL: the section comes once. */
const KeyList *key_list_find(const char *section);

/* How many entries there are, and one of them. */
size_t key_list_count(const KeyList *list, const Definition *definition);
void *key_list_entry(const KeyList *list, const Definition *definition, size_t entry);

/* Adds an entry that says nothing. 0 or -ENOMEM. */
int key_list_add(const KeyList *list, Definition *definition, Origin origin);

/* The whole table, section by section, in the order in which it is printed. */
extern const Key keys[];
extern const size_t n_keys;

const Key *key_find(const char *section, const char *name);

bool section_exists(const char *section);

/* Notes a problem with the key in CONTEXT and returns KEY_E_VALUE (or -ENOMEM). */
int key_refuse(KeyContext *context, const char *format, ...) _printf_(2, 3);

/* The same, beginning with the VALUE in quotes (shortened if it is long). */
int key_refuse_value(KeyContext *context, const char *value, const char *format, ...) _printf_(3, 4);

/* Assigns VALUE, empty for the default, to the key's field of the definition or of the section's ENTRY (an index, see
 * KeyList), and remembers where that was. 0, KEY_E_VALUE or a negative errno. */
int key_assign(KeyContext *context, size_t entry, const char *value);

/* The key's field in the definition or in the section's entry. */
void *key_field(const Key *key, const Definition *definition, size_t entry);

/* A row's name among similar ones in its section, or a section's; NULL if none is near. */
const char *key_suggest(const char *section, const char *name);
const char *section_suggest(const char *section);

/* The section in which a key of this name exists, NULL if there is none. */
const char *key_section(const char *name);
