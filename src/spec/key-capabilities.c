/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kinds of value that Capabilities= and AmbientCapabilities= have: a change of a set, and a set.
 */
#include <errno.h>
#include <stdlib.h>

#include "basic/capability.h"
#include "basic/cleanup.h"
#include "basic/quote.h"
#include "basic/string.h"
#include "spec/key-types.h"

/* 0 with the next word, which is NULL behind the last one; KEY_E_VALUE or a negative errno. */
static int next_word(KeyContext *context, const char **value, char **ret_word) {
        int r;

        r = word_next(value, ret_word);

        return r > 0 ? key_refuse(context, "%s", word_error_text(r)) : r;
}

/* Each word has its say after the words before it. */
static int parse_change(KeyContext *context, const char *value, void *field) {
        CapabilityChange change = *(CapabilityChange *) field;

        for (;;) {
                _cleanup_free_ char *word = NULL;
                const char *name;
                uint64_t bits;
                bool remove;
                int r;

                r = next_word(context, &value, &word);
                if (r != 0)
                        return r;
                if (!word)
                        break;

                remove = word[0] == '~';
                name = word + remove;
                r = capability_from_name(name);
                if (r < 0 && !streq(name, "all"))
                        return key_refuse_value(
                                        context, word,
                                        "is not known; it takes CAP_NET_ADMIN and the like to add, "
                                        "~CAP_NET_RAW and the like to remove, and all and ~all");

                bits = r < 0 ? CAPABILITIES_ALL : CAPABILITY_BIT(r);
                change.added = remove ? change.added & ~bits : change.added | bits;
                change.removed = remove ? change.removed | bits : change.removed & ~bits;
        }

        *(CapabilityChange *) field = change;
        return 0;
}

static void print_names(uint64_t set, const char *mark, const char **separator, FILE *stream) {
        for (unsigned i = 0; capability_name(i); i++)
                if (set & CAPABILITY_BIT(i)) {
                        fprintf(stream, "%s%s%s", *separator, mark, capability_name(i));
                        *separator = " ";
                }
}

/* "all" or "~all" first, if one of them was said: it is about those that have no name, too. */
static int print_change(const Key *key, const void *field, FILE *stream) {
        const CapabilityChange *change = field;
        const uint64_t nameless = CAPABILITY_BIT(63);
        const char *separator = "=";

        fputs(key->name, stream);
        if ((change->added | change->removed) & nameless) {
                fputs(change->added & nameless ? "=all" : "=~all", stream);
                separator = " ";
        }
        if (!(change->added & nameless))
                print_names(change->added, "", &separator, stream);
        if (!(change->removed & nameless))
                print_names(change->removed, "~", &separator, stream);
        fputc('\n', stream);

        return ferror(stream) ? -EIO : 0;
}

const KeyType key_type_capability_change = {
        .size = sizeof(CapabilityChange),
        .list = true,
        .parse = parse_change,
        .print = print_change,
};

static int parse_set(KeyContext *context, const char *value, void *field) {
        uint64_t set = *(uint64_t *) field;

        for (;;) {
                _cleanup_free_ char *word = NULL;
                int r;

                r = next_word(context, &value, &word);
                if (r != 0)
                        return r;
                if (!word)
                        break;

                r = capability_from_name(word);
                if (r < 0)
                        return key_refuse_value(
                                        context, word,
                                        "is not known; it takes CAP_NET_BIND_SERVICE and the like");
                set |= CAPABILITY_BIT(r);
        }

        *(uint64_t *) field = set;
        return 0;
}

static int print_set(const Key *key, const void *field, FILE *stream) {
        const char *separator = "=";

        fputs(key->name, stream);
        print_names(*(const uint64_t *) field, "", &separator, stream);
        fputc('\n', stream);

        return ferror(stream) ? -EIO : 0;
}

const KeyType key_type_capability_set = {
        .size = sizeof(uint64_t),
        .list = true,
        .parse = parse_set,
        .print = print_set,
};
