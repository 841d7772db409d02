/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * IDMap=: ranges of ids inside and what they are outside. Whether ranges fit together is checked when the
 * definition is complete.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "basic/array.h"
#include "basic/parse.h"
#include "basic/quote.h"
#include "basic/string.h"
#include "spec/key-types.h"
#include "spec/limits.h"

#define RULE "is not [uid:|gid:]INSIDE:OUTSIDE:COUNT with numbers and auto as OUTSIDE, such as 0:auto:65536"

/* Cuts S at its next colon: returns what is before it and moves *S behind; the last part ends at the NUL. */
static char *next_part(char **s) {
        return strsep(s, ":");
}

static int parse_range(const char *word, IdRange *ret) {
        _cleanup_free_ char *copy = NULL;
        const char *inside, *outside, *count, *rest;
        IdRange range = { .kinds = ID_UID | ID_GID };
        char *s;

        if ((rest = string_after_prefix(word, "uid:")))
                range.kinds = ID_UID;
        else if ((rest = string_after_prefix(word, "gid:")))
                range.kinds = ID_GID;

        s = copy = strdup(rest ?: word);
        if (!copy)
                return -ENOMEM;
        inside = next_part(&s);
        outside = s ? next_part(&s) : NULL;
        count = s ? next_part(&s) : NULL;
        if (!count || s)
                return -EINVAL;

        if (parse_u32(inside, &range.inside) < 0 || parse_u32(count, &range.count) < 0)
                return -EINVAL;
        if (streq(outside, "auto"))
                range.outside = ID_OUTSIDE_AUTO;
        else if (parse_u32(outside, &range.outside) < 0 || range.outside > ID_MAX)
                return -EINVAL;

        *ret = range;
        return 0;
}

static int parse_id_map(KeyContext *context, const char *value, void *field) {
        Definition *definition = field;
        int r;

        for (;;) {
                _cleanup_free_ char *word = NULL;
                IdRange range;

                r = word_next(&value, &word);
                if (r < 0)
                        return r;
                if (r > 0)
                        return key_refuse(context, "%s", word_error_text(r));
                if (!word)
                        return 0;

                r = parse_range(word, &range);
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        return key_refuse_value(context, word, RULE);
                if (range.count == 0)
                        return key_refuse_value(context, word, "maps no id; COUNT is at least 1");
                if (range.inside > ID_MAX - (range.count - 1) ||
                    (range.outside != ID_OUTSIDE_AUTO && range.outside > ID_MAX - (range.count - 1)))
                        return key_refuse_value(context, word, "goes beyond the last id, %" PRIu32,
                                                (uint32_t) ID_MAX);
                if (definition->n_id_ranges >= ID_RANGES_MAX)
                        return key_refuse(context, "more than %d ranges", ID_RANGES_MAX);

                r = ARRAY_APPEND(definition->id_ranges, definition->n_id_ranges, range);
                if (r < 0)
                        return r;
        }
}

static void reset_id_map(const Key *key, void *field) {
        Definition *definition = field;

        free(definition->id_ranges);
        definition->id_ranges = NULL;
        definition->n_id_ranges = 0;
}

static int print_id_map(const Key *key, const void *field, FILE *stream) {
        const Definition *definition = field;

        for (size_t i = 0; i < definition->n_id_ranges; i++) {
                const IdRange *range = definition->id_ranges + i;
                const char *kind = range->kinds == ID_UID ? "uid:" : range->kinds == ID_GID ? "gid:" : "";

                fprintf(stream, "%s=%s%" PRIu32 ":", key->name, kind, range->inside);
                if (range->outside == ID_OUTSIDE_AUTO)
                        fputs("auto", stream);
                else
                        fprintf(stream, "%" PRIu32, range->outside);
                fprintf(stream, ":%" PRIu32 "\n", range->count);
        }

        return ferror(stream) ? -EIO : 0;
}

const KeyType key_type_id_map = {
        .list = true,
        .parse = parse_id_map,
        .reset = reset_id_map,
        .print = print_id_map,
};
