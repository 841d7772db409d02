/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kinds of value that many keys share: text, booleans, words, flags, paths, names, sizes, modes, time
 * spans, signals. The reader has seen to it that a value is UTF-8 without control characters.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "basic/parse.h"
#include "basic/quote.h"
#include "basic/string.h"
#include "basic/strv.h"
#include "spec/devices.h"
#include "spec/handover.h"
#include "spec/key-types.h"
#include "spec/limits.h"

static int print_line(const Key *key, const char *value, FILE *stream) {
        return fprintf(stream, "%s=%s\n", key->name, value) < 0 ? -EIO : 0;
}

static void reset_string(const Key *key, void *field) {
        (void) string_set(field, NULL);
}

static int print_string(const Key *key, const void *field, FILE *stream) {
        return print_line(key, *(char *const *) field, stream);
}

/* text */

static int parse_text(KeyContext *context, const char *value, void *field) {
        if (strlen(value) > TEXT_SIZE_MAX)
                return key_refuse(context, "the text is longer than %d bytes", TEXT_SIZE_MAX);

        return string_set(field, value);
}

const KeyType key_type_text = {
        .size = sizeof(char *),
        .parse = parse_text,
        .reset = reset_string,
        .print = print_string,
};

/* boolean */

static int parse_switch(KeyContext *context, const char *value, void *field) {
        if (parse_boolean(value, field) < 0)
                return key_refuse_value(context, value, "is not known; it takes yes or no");

        return 0;
}

static int print_switch(const Key *key, const void *field, FILE *stream) {
        return print_line(key, *(const bool *) field ? "yes" : "no", stream);
}

const KeyType key_type_boolean = {
        .size = sizeof(bool),
        .parse = parse_switch,
        .print = print_switch,
};

/* words */

static int word_find(const KeyWords *words, const char *word) {
        for (size_t i = 0; i < words->n; i++)
                if (words->words[i] && streq(words->words[i], word))
                        return (int) i;

        return -1;
}

/* Refuses WORD and lists what would be accepted. */
static int refuse_word(KeyContext *context, const KeyWords *words, const char *word, const char *joint) {
        _cleanup_free_ char *list = NULL;
        const char *last = NULL;

        for (size_t i = 0; i < words->n; i++) {
                char *longer;

                if (!words->words[i])
                        continue;
                if (last) {
                        longer = string_printf("%s%s%s", list ?: "", list ? ", " : "", last);
                        if (!longer)
                                return -ENOMEM;
                        free(list);
                        list = longer;
                }
                last = words->words[i];
        }

        return key_refuse_value(context, word, "is not known; it takes %s%s%s%s%s", list ?: "",
                                list ? " " : "", list ? joint : "", list ? " " : "", last);
}

static int parse_word(KeyContext *context, const char *value, void *field) {
        const KeyWords *words = context->key->data;
        unsigned number;
        bool on;
        int i;

        i = word_find(words, value);
        /* A key that takes yes and no, and more, takes every way to write them. */
        if (i < 0 && parse_boolean(value, &on) >= 0)
                i = word_find(words, on ? "yes" : "no");
        if (i < 0)
                return refuse_word(context, words, value, "or");

        number = (unsigned) i;
        memcpy(field, &number, sizeof number);

        return 0;
}

static int print_word(const Key *key, const void *field, FILE *stream) {
        const KeyWords *words = key->data;
        unsigned number;

        memcpy(&number, field, sizeof number);

        return print_line(key, words->words[number], stream);
}

const KeyType key_type_word = {
        .size = sizeof(unsigned),
        .parse = parse_word,
        .print = print_word,
};

static int parse_flags(KeyContext *context, const char *value, void *field) {
        const KeyWords *words = context->key->data;
        unsigned flags;
        int r;

        memcpy(&flags, field, sizeof flags);
        for (;;) {
                _cleanup_free_ char *word = NULL;
                int i;

                r = word_next(&value, &word);
                if (r < 0)
                        return r;
                if (r > 0)
                        return key_refuse(context, "%s", word_error_text(r));
                if (!word)
                        break;

                i = word_find(words, word);
                if (i < 0 && (streq(word, "user") || streq(word, "users")))
                        return key_refuse(context, "the user namespace has a key of its own: [Identity] "
                                                   "UserNamespace=");
                if (i < 0 && (streq(word, "mount") || streq(word, "pid")))
                        return key_refuse(context, "the %s namespace is always private and not named here",
                                          word);
                if (i < 0)
                        return refuse_word(context, words, word, "and");
                flags |= 1U << i;
        }

        memcpy(field, &flags, sizeof flags);
        return 0;
}

static int print_flags(const Key *key, const void *field, FILE *stream) {
        const KeyWords *words = key->data;
        const char *separator = "=";
        unsigned flags;

        memcpy(&flags, field, sizeof flags);
        fputs(key->name, stream);
        for (size_t i = 0; i < words->n; i++)
                if (flags & (1U << i)) {
                        fprintf(stream, "%s%s", separator, words->words[i]);
                        separator = " ";
                }
        fputc('\n', stream);

        return ferror(stream) ? -EIO : 0;
}

const KeyType key_type_flags = {
        .size = sizeof(unsigned),
        .list = true,
        .parse = parse_flags,
        .print = print_flags,
};

/* paths */

/* Absolute, without empty parts, "." and a slash at the end. Refuses "..": what it means depends on
 * links. */
static int path_normalise(const char *path, char **ret) {
        _cleanup_free_ char *normal = NULL;
        char *p;

        if (*path != '/')
                return -EINVAL;
        p = normal = malloc(strlen(path) + 2);
        if (!normal)
                return -ENOMEM;

        while (*path) {
                size_t n;

                path += strspn(path, "/");
                n = strcspn(path, "/");
                if (n == 2 && path[0] == '.' && path[1] == '.')
                        return -EINVAL;
                if (n > 0 && !(n == 1 && *path == '.')) {
                        if (n > 255)
                                return -EINVAL;
                        *p++ = '/';
                        memcpy(p, path, n);
                        p += n;
                }
                path += n;
        }
        if (p == normal)
                *p++ = '/';
        *p = '\0';

        *ret = TAKE_PTR(normal);
        return 0;
}

static int parse_descriptor(KeyContext *context, const char *value, void *field) {
        if (!handover_name_is_valid(definition_descriptor(value)))
                return key_refuse_value(context, value, "cannot be used; " HANDOVER_NAME_RULE);

        return string_set(field, value);
}

static int parse_path(KeyContext *context, const char *value, void *field) {
        const KeyPathRule *rule = context->key->data;
        _cleanup_free_ char *path = NULL;
        size_t n;
        int r;

        if (rule && rule->descriptor && definition_descriptor(value))
                return parse_descriptor(context, value, field);
        if (strlen(value) >= PATH_SIZE_MAX)
                return key_refuse(context, "the path is longer than %d bytes", PATH_SIZE_MAX - 1);

        r = path_normalise(value, &path);
        if (r == -EINVAL)
                return key_refuse_value(context, value,
                                        "is not an absolute path without \"..\", such as /srv/web");
        if (r < 0)
                return r;

        n = strlen(path);
        if (path[n - 1] == ' ' || path[n - 1] == '\t' || path[n - 1] == '\\')
                return key_refuse_value(context, value, "ends in white space or a backslash; rename it");
        if (rule && rule->below_root && streq(path, "/"))
                return key_refuse(context, "\"/\" cannot be used here; give a directory below it");
        if (rule && rule->device) {
                const char *name = string_after_prefix(path, DEVICE_DIRECTORY);

                if (!name)
                        return key_refuse_value(context, value, "is not a device's name below /dev, such as /dev/net/tun");
                if (device_name_is_taken(name))
                        return key_refuse_value(context, value, "cannot be used: every container has its own");
        }

        return string_set(field, path);
}

const KeyType key_type_path = {
        .size = sizeof(char *),
        .parse = parse_path,
        .reset = reset_string,
        .print = print_string,
};

/* names */

static int parse_name(KeyContext *context, const char *value, void *field) {
        const KeyNameRule *rule = context->key->data;

        if (!rule->is_valid(value))
                return key_refuse_value(context, value, "cannot be used; %s", rule->rule);

        return string_set(field, value);
}

const KeyType key_type_name = {
        .size = sizeof(char *),
        .parse = parse_name,
        .reset = reset_string,
        .print = print_string,
};

static int parse_names(KeyContext *context, const char *value, void *field) {
        const KeyNameRule *rule = context->key->data;
        char ***list = field;
        int r;

        for (;;) {
                _cleanup_free_ char *word = NULL;

                r = word_next(&value, &word);
                if (r < 0)
                        return r;
                if (r > 0)
                        return key_refuse(context, "%s", word_error_text(r));
                if (!word)
                        return 0;
                if (!rule->is_valid(word))
                        return key_refuse_value(context, word, "cannot be used; %s", rule->rule);
                if (strv_contains(*list, word))
                        continue;
                if (strv_length(*list) >= rule->max)
                        return key_refuse(context, "more than %zu of them", rule->max);

                r = strv_append_take(list, TAKE_PTR(word));
                if (r < 0)
                        return r;
        }
}

static void reset_names(const Key *key, void *field) {
        char ***list = field;

        *list = strv_free(*list);
}

static int print_names(const Key *key, const void *field, FILE *stream) {
        const char *separator = "=";

        fputs(key->name, stream);
        for (char *const *word = *(char *const *const *) field; word && *word; word++) {
                fprintf(stream, "%s%s", separator, *word);
                separator = " ";
        }
        fputc('\n', stream);

        return ferror(stream) ? -EIO : 0;
}

const KeyType key_type_names = {
        .size = sizeof(char **),
        .list = true,
        .parse = parse_names,
        .reset = reset_names,
        .print = print_names,
};

/* numbers */

static int parse_bytes(KeyContext *context, const char *value, void *field) {
        uint64_t bytes;

        if (parse_size(value, 1024, &bytes) < 0 || bytes == 0 || bytes > INT64_MAX)
                return key_refuse_value(context, value,
                                        "is not a size; it takes bytes, or a number with K, M, G or T (of "
                                        "1024)");

        memcpy(field, &bytes, sizeof bytes);
        return 0;
}

static int print_u64(const Key *key, const void *field, FILE *stream) {
        uint64_t bytes;

        memcpy(&bytes, field, sizeof bytes);

        return fprintf(stream, "%s=%" PRIu64 "\n", key->name, bytes) < 0 ? -EIO : 0;
}

const KeyType key_type_bytes = {
        .size = sizeof(uint64_t),
        .parse = parse_bytes,
        .print = print_u64,
};

static int parse_access_mode(KeyContext *context, const char *value, void *field) {
        mode_t mode;

        if (parse_mode(value, &mode) < 0)
                return key_refuse_value(context, value,
                                        "is not an access mode; it takes octal digits from 0 to 7777, such "
                                        "as 0755");

        memcpy(field, &mode, sizeof mode);
        return 0;
}

static int print_mode(const Key *key, const void *field, FILE *stream) {
        mode_t mode;

        memcpy(&mode, field, sizeof mode);

        return fprintf(stream, "%s=%04o\n", key->name, (unsigned) mode) < 0 ? -EIO : 0;
}

const KeyType key_type_mode = {
        .size = sizeof(mode_t),
        .parse = parse_access_mode,
        .print = print_mode,
};

static int parse_delay(KeyContext *context, const char *value, void *field) {
        uint64_t usec;

        if (parse_timespan(value, &usec) < 0 || usec > DELAY_MAX_USEC)
                return key_refuse_value(context, value,
                                        "is not a time span of at most an hour, such as 5s, 2min or 500ms");

        memcpy(field, &usec, sizeof usec);
        return 0;
}

static int print_delay(const Key *key, const void *field, FILE *stream) {
        uint64_t usec;

        memcpy(&usec, field, sizeof usec);

        return fprintf(stream, "%s=%" PRIu64 "us\n", key->name, usec) < 0 ? -EIO : 0;
}

const KeyType key_type_delay = {
        .size = sizeof(uint64_t),
        .parse = parse_delay,
        .print = print_delay,
};

static int parse_signal_name(KeyContext *context, const char *value, void *field) {
        int sig;

        if (parse_signal(value, &sig) < 0)
                return key_refuse_value(context, value,
                                        "is not a signal, such as SIGTERM, SIGRTMIN+3 or 15");

        memcpy(field, &sig, sizeof sig);
        return 0;
}

static int print_signal(const Key *key, const void *field, FILE *stream) {
        char buffer[16];
        int sig;

        memcpy(&sig, field, sizeof sig);

        return print_line(key, signal_name(sig, buffer), stream);
}

const KeyType key_type_signal = {
        .size = sizeof(int),
        .parse = parse_signal_name,
        .print = print_signal,
};
