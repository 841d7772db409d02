/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kinds of value that only [Container] has: the command line, the environment, the machine id, Include=.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/array.h"
#include "basic/quote.h"
#include "basic/string.h"
#include "basic/strv.h"
#include "spec/key-pairs.h"
#include "spec/key-types.h"
#include "spec/limits.h"

/* Command= */

int key_parse_command(KeyContext *context, const char *value, char ***ret_words) {
        _cleanup_(strv_freep) char **words = NULL;
        size_t size = 0;
        int r;

        r = words_split(value, &words);
        if (r < 0)
                return r;
        if (r > 0)
                return key_refuse(context, "%s", word_error_text(r));

        for (char **word = words; *word; word++)
                size += strlen(*word) + 1;
        if (size > COMMAND_SIZE_MAX || strv_length(words) > COMMAND_WORDS_MAX)
                return key_refuse(context,
                                  "the command has more than %d bytes or %d words; put it into a script",
                                  COMMAND_SIZE_MAX, COMMAND_WORDS_MAX);

        *ret_words = TAKE_PTR(words);
        return 0;
}

static int parse_command(KeyContext *context, const char *value, void *field) {
        _cleanup_(strv_freep) char **words = NULL;
        int r;

        r = key_parse_command(context, value, &words);
        if (r != 0)
                return r;
        if (words[0][0] != '/')
                return key_refuse_value(context, words[0], "is not an absolute path of a program inside the "
                                                           "container, such as /bin/sh");

        strv_free(*(char ***) field);
        *(char ***) field = TAKE_PTR(words);

        return 0;
}

static void reset_command(const Key *key, void *field) {
        char ***command = field;

        *command = strv_free(*command);
}

int key_print_command(const Key *key, char *const *words, FILE *stream) {
        const char *separator = "=";

        fputs(key->name, stream);
        for (char *const *word = words; word && *word; word++) {
                _cleanup_free_ char *quoted = word_quote(*word);

                if (!quoted)
                        return -ENOMEM;
                fprintf(stream, "%s%s", separator, quoted);
                separator = " ";
        }
        fputc('\n', stream);

        return ferror(stream) ? -EIO : 0;
}

static int print_command(const Key *key, const void *field, FILE *stream) {
        return key_print_command(key, *(char *const *const *) field, stream);
}

const KeyType key_type_command = {
        .size = sizeof(char **),
        .parse = parse_command,
        .reset = reset_command,
        .print = print_command,
};

/* Environment= */

static bool variable_name_is_valid(const char *name, size_t n) {
        if (n == 0 || (name[0] >= '0' && name[0] <= '9'))
                return false;
        for (size_t i = 0; i < n; i++)
                if (!((name[i] >= 'a' && name[i] <= 'z') || (name[i] >= 'A' && name[i] <= 'Z') ||
                      (name[i] >= '0' && name[i] <= '9') || name[i] == '_'))
                        return false;

        return true;
}

/* NAME=VALUE replaces an earlier one of the same name, or is added. */
static int environment_set(Definition *definition, const char *word, size_t name_length) {
        _cleanup_free_ char *key = strndup(word, name_length), *value = strdup(word + name_length + 1);

        if (!key || !value)
                return -ENOMEM;

        return pairs_set_take(&definition->environment, &definition->n_environment, TAKE_PTR(key), TAKE_PTR(value));
}

static int parse_environment(KeyContext *context, const char *value, void *field) {
        Definition *definition = field;
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
                if (!word[n] || !variable_name_is_valid(word, n))
                        return key_refuse_value(context, word,
                                                "is not NAME=VALUE with a name of letters, digits and _; "
                                                "quote values that have spaces: \"NAME=some words\"");
                if (strlen(word) > ENVIRONMENT_SIZE_MAX)
                        return key_refuse(context, "the variable %.*s has more than %d bytes",
                                          (int) (n < 64 ? n : 64), word, ENVIRONMENT_SIZE_MAX);
                if (definition->n_environment >= ENVIRONMENT_MAX)
                        return key_refuse(context, "more than %d variables", ENVIRONMENT_MAX);

                r = environment_set(definition, word, n);
                if (r < 0)
                        return r;
        }
}

static void reset_environment(const Key *key, void *field) {
        Definition *definition = field;

        pairs_clear(&definition->environment, &definition->n_environment);
}

static int print_environment(const Key *key, const void *field, FILE *stream) {
        const Definition *definition = field;

        return pairs_print(definition->environment, definition->n_environment, key->name, stream);
}

const KeyType key_type_environment = {
        .list = true,
        .parse = parse_environment,
        .reset = reset_environment,
        .print = print_environment,
};

/* MachineID= */

static int parse_machine_id(KeyContext *context, const char *value, void *field) {
        char id[33];
        size_t n = 0;
        bool zero = true;

        /* With dashes, as a UUID, too. */
        for (const char *s = value; *s; s++) {
                if (*s == '-' && (n == 8 || n == 12 || n == 16 || n == 20) && s[-1] != '-')
                        continue;
                if (n >= 32 || !strchr("0123456789abcdefABCDEF", *s)) {
                        n = 0;
                        break;
                }
                zero = zero && *s == '0';
                id[n++] = (char) (*s >= 'A' && *s <= 'F' ? *s - 'A' + 'a' : *s);
        }

        if (n != 32 || zero || value[strlen(value) - 1] == '-')
                return key_refuse_value(context, value,
                                        "is not a machine id: 32 hexadecimal digits that are not all 0");
        id[n] = '\0';

        return string_set(field, id);
}

static void reset_machine_id(const Key *key, void *field) {
        (void) string_set(field, NULL);
}

static int print_machine_id(const Key *key, const void *field, FILE *stream) {
        return fprintf(stream, "%s=%s\n", key->name, *(char *const *) field) < 0 ? -EIO : 0;
}

const KeyType key_type_machine_id = {
        .size = sizeof(char *),
        .parse = parse_machine_id,
        .reset = reset_machine_id,
        .print = print_machine_id,
};

/* Include=: the reader does it; there is no field */

static int parse_include(KeyContext *context, const char *value, void *field) {
        if (*value != '/')
                return key_refuse_value(context, value,
                                        "is not an absolute path of a file, or of a directory with *.conf");
        if (strlen(value) >= PATH_SIZE_MAX)
                return key_refuse(context, "the path is longer than %d bytes", PATH_SIZE_MAX - 1);

        return context->include(context, value);
}

const KeyType key_type_include = {
        .action = true,
        .parse = parse_include,
};
