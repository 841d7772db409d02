/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is done with rows of the key table: finding them, assigning to their fields, telling what is wrong
 * and what might have been meant.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "basic/array.h"
#include "basic/string.h"
#include "spec/key.h"
#include "spec/origin.h"

#define VALUE_SHOWN_MAX 120

const Key *key_find(const char *section, const char *name) {
        for (size_t i = 0; i < n_keys; i++)
                if (streq(keys[i].name, name) && streq(keys[i].section, section))
                        return keys + i;

        return NULL;
}

bool section_exists(const char *section) {
        for (size_t i = 0; i < n_keys; i++)
                if (streq(keys[i].section, section))
                        return true;

        return false;
}

const char *key_section(const char *name) {
        for (size_t i = 0; i < n_keys; i++)
                if (streq(keys[i].name, name))
                        return keys[i].section;

        return NULL;
}

/* Names this much apart are taken for a slip of the pen: one letter in four, at most three. */
static size_t slips_allowed(const char *name) {
        size_t n = strlen(name) / 4 + 1;

        return n < 3 ? n : 3;
}

const char *key_suggest(const char *section, const char *name) {
        size_t nearest = slips_allowed(name) + 1;
        const char *found = NULL;

        for (size_t i = 0; i < n_keys; i++) {
                size_t distance;

                if (!streq(keys[i].section, section))
                        continue;
                distance = string_distance(keys[i].name, name, nearest);
                if (distance < nearest) {
                        nearest = distance;
                        found = keys[i].name;
                }
        }

        return found;
}

const char *section_suggest(const char *section) {
        size_t nearest = slips_allowed(section) + 1;
        const char *found = NULL;

        for (size_t i = 0; i < n_keys; i++) {
                size_t distance = string_distance(keys[i].section, section, nearest);

                if (distance < nearest) {
                        nearest = distance;
                        found = keys[i].section;
                }
        }

        return found;
}

static int refuse(KeyContext *context, const char *text) {
        int r;

        r = problems_add(context->problems, context->origin.file, context->origin.line, context->key->name,
                         "%s", text);

        return r < 0 ? r : KEY_E_VALUE;
}

int key_refuse(KeyContext *context, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list args;
        int r;

        va_start(args, format);
        r = vasprintf(&text, format, args);
        va_end(args);
        if (r < 0) {
                text = NULL;
                return -ENOMEM;
        }

        return refuse(context, text);
}

int key_refuse_value(KeyContext *context, const char *value, const char *format, ...) {
        _cleanup_free_ char *text = NULL, *whole = NULL;
        size_t n = strlen(value);
        va_list args;
        int r;

        va_start(args, format);
        r = vasprintf(&text, format, args);
        va_end(args);
        if (r < 0) {
                text = NULL;
                return -ENOMEM;
        }

        /* Not in the middle of a character. */
        if (n > VALUE_SHOWN_MAX)
                for (n = VALUE_SHOWN_MAX; n > 0 && ((unsigned char) value[n] & 0xc0) == 0x80;)
                        n--;
        whole = string_printf("\"%.*s\"%s %s", (int) n, value, value[n] ? "..." : "", text);

        return whole ? refuse(context, whole) : -ENOMEM;
}

const KeyList *key_list_find(const char *section) {
        for (size_t i = 0; i < n_key_lists; i++)
                if (streq(key_lists[i].section, section))
                        return key_lists + i;

        return NULL;
}

static size_t *list_count(const KeyList *list, const Definition *definition) {
        return (size_t *) (void *) ((char *) definition + list->n);
}

size_t key_list_count(const KeyList *list, const Definition *definition) {
        return *list_count(list, definition);
}

void *key_list_entry(const KeyList *list, const Definition *definition, size_t entry) {
        char *array;

        /* Which type the pointer has is not known here. */
        memcpy(&array, (const char *) definition + list->array, sizeof array);

        return array + entry * list->size;
}

int key_list_add(const KeyList *list, Definition *definition, Origin origin) {
        size_t *n = list_count(list, definition);
        char *entry;
        int r;

        r = array_reserve((char *) definition + list->array, *n, list->size);
        if (r < 0)
                return r;

        entry = key_list_entry(list, definition, *n);
        memcpy(entry, list->empty, list->size);
        memcpy(entry + list->origin, &origin, sizeof origin);
        (*n)++;

        return 0;
}

void *key_field(const Key *key, const Definition *definition, size_t entry) {
        char *base = entry == ORIGIN_NO_ENTRY ? (char *) definition
                                              : key_list_entry(key_list_find(key->section), definition, entry);

        return base + key->offset;
}

/* The default of a field that has no reset function. */
static int key_reset_plain(const Key *key, void *field) {
        const KeyList *list = key_list_find(key->section);
        _cleanup_(definition_freep) Definition *fresh = NULL;

        if (list) {
                memcpy(field, (const char *) list->empty + key->offset, key->type->size);
                return 0;
        }

        fresh = definition_new("default");
        if (!fresh)
                return -ENOMEM;
        memcpy(field, (const char *) fresh + key->offset, key->type->size);

        return 0;
}

int key_assign(KeyContext *context, size_t entry, const char *value) {
        const KeyType *type = context->key->type;
        void *field = key_field(context->key, context->definition, entry);
        int r;

        if (type->action && !*value)
                return key_refuse(context, "needs a value");
        if (*value) {
                r = type->parse(context, value, field);
                if (r != 0 || type->action)
                        return r;
                return origins_add(context->definition, context->key, entry, context->origin);
        }

        origins_remove(context->definition, context->key, entry);
        if (!type->reset)
                return key_reset_plain(context->key, field);
        type->reset(context->key, field);

        return 0;
}
