/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kind of value that [Security] has for itself: lines that a compiler understands.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/string.h"
#include "basic/strv.h"
#include "spec/key-types.h"
#include "spec/limits.h"

static int parse_lines(KeyContext *context, const char *value, void *field) {
        char ***lines = field;

        if (strlen(value) > COMMAND_SIZE_MAX)
                return key_refuse(context, "the line is longer than %d bytes", COMMAND_SIZE_MAX);
        if (strv_length(*lines) >= RULE_LINES_MAX)
                return key_refuse(context, "more than %d lines; put them into a file", RULE_LINES_MAX);

        return strv_append(lines, value);
}

static void reset_lines(const Key *key, void *field) {
        char ***lines = field;

        *lines = strv_free(*lines);
}

static int print_lines(const Key *key, const void *field, FILE *stream) {
        for (char *const *line = *(char *const *const *) field; line && *line; line++)
                if (fprintf(stream, "%s=%s\n", key->name, *line) < 0)
                        return -EIO;

        return 0;
}

const KeyType key_type_lines = {
        .size = sizeof(char **),
        .list = true,
        .parse = parse_lines,
        .reset = reset_lines,
        .print = print_lines,
};
