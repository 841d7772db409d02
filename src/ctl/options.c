/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading options by tables; see options.h. Long options may be shortened as far as they stay unique, as
 * getopt_long(3) has it; short ones may be joined.
 */
#include <errno.h>
#include <stdlib.h>

#include "basic/array.h"
#include "basic/cleanup.h"
#include "basic/string.h"
#include "basic/strv.h"
#include "ctl/options.h"

typedef struct Reader {
        const Option *tables[2];
        const char *whose;
        char **argv;
        size_t next; /* the first of ARGV that is not read */
} Reader;

void arguments_clear(Arguments *arguments) {
        free(arguments->words);
        *arguments = (Arguments) { 0 };
}

static int refuse(const Reader *reader, const char *text, const char *problem) {
        _cleanup_free_ char *shown = string_escape_unprintable(text);

        fprintf(stderr, "berthctl: %s%s%s \"%s\"; berthctl %s%s--help tells what there is\n",
                reader->whose ?: "", reader->whose ? ": " : "", problem, shown ?: "?", reader->whose ?: "",
                reader->whose ? " " : "");

        return OPTIONS_E_USAGE;
}

static int store(const Option *option, const char *argument) {
        switch (option->kind) {
        case OPTION_FLAG:
                *(bool *) option->value = true;
                return 0;
        case OPTION_TEXT:
                *(const char **) option->value = argument;
                return 0;
        case OPTION_LIST:
                return strv_append(option->value, argument);
        }

        return -EINVAL;
}

/* The row whose name begins with SIZE bytes of TEXT: one of just this name, or the only one. */
static const Option *find_long(const Reader *reader, const char *text, size_t size, bool *ret_several) {
        const Option *found = NULL;
        bool several = false;

        for (size_t t = 0; t < ELEMENTSOF(reader->tables); t++)
                for (const Option *o = reader->tables[t]; o && o->name; o++) {
                        if (strncmp(o->name, text, size) != 0)
                                continue;
                        if (strlen(o->name) == size)
                                return o;
                        several = several || found;
                        found = o;
                }

        *ret_several = several && size > 0;

        return several || size == 0 ? NULL : found;
}

static int read_long(Reader *reader) {
        const char *word = reader->argv[reader->next++], *text = word + 2, *equals = strchr(text, '=');
        size_t size = equals ? (size_t) (equals - text) : strlen(text);
        bool several = false;
        const Option *option = find_long(reader, text, size, &several);

        if (!option)
                return refuse(reader, word, several ? "several options begin with" : "there is no option");
        if (!option->argument)
                return equals ? refuse(reader, word, "no value goes with the option") : store(option, NULL);
        if (equals)
                return store(option, equals + 1);
        if (option->optional)
                return store(option, "");
        if (!reader->argv[reader->next])
                return refuse(reader, word, "a value is missing after");

        return store(option, reader->argv[reader->next++]);
}

static const Option *find_letter(const Reader *reader, char letter) {
        for (size_t t = 0; t < ELEMENTSOF(reader->tables); t++)
                for (const Option *o = reader->tables[t]; o && o->name; o++)
                        if (o->letter == letter)
                                return o;

        return NULL;
}

static int read_letters(Reader *reader) {
        const char *word = reader->argv[reader->next++];
        int r;

        for (const char *p = word + 1; *p; p++) {
                const Option *option = find_letter(reader, *p);

                if (!option)
                        return refuse(reader, word, "there is no option");
                if (option->argument && p[1])
                        return store(option, p + 1);
                if (option->argument && option->optional)
                        return store(option, "");
                if (option->argument && !reader->argv[reader->next])
                        return refuse(reader, word, "a value is missing after");

                r = store(option, option->argument ? reader->argv[reader->next++] : NULL);
                if (r != 0)
                        return r;
        }

        return 0;
}

/* A "-" alone is a word: it stands for standard input. */
static bool is_option(const char *word) {
        return word[0] == '-' && word[1] != '\0';
}

static int read_one(Reader *reader) {
        return reader->argv[reader->next][1] == '-' ? read_long(reader) : read_letters(reader);
}

int options_read(const Option *options, const Option *more, const char *whose, char **argv, Arguments *ret) {
        Reader reader = { { options, more }, whose, argv, 0 };
        _cleanup_free_ char **words = NULL;
        size_t n = 0, n_before = SIZE_MAX;
        int r;

        words = calloc(strv_length(argv) + 1, sizeof *words);
        if (!words)
                return -ENOMEM;

        while (argv[reader.next]) {
                if (n_before == SIZE_MAX && streq(argv[reader.next], "--")) {
                        n_before = n;
                        reader.next++;
                } else if (n_before == SIZE_MAX && is_option(argv[reader.next])) {
                        r = read_one(&reader);
                        if (r != 0)
                                return r;
                } else
                        words[n++] = argv[reader.next++];
        }

        *ret = (Arguments) { TAKE_PTR(words), n, n_before == SIZE_MAX ? n : n_before };
        return 0;
}

int options_read_leading(const Option *options, char **argv, size_t *ret_used) {
        Reader reader = { { options, NULL }, NULL, argv, 0 };
        int r;

        while (argv[reader.next] && is_option(argv[reader.next])) {
                if (streq(argv[reader.next], "--")) {
                        reader.next++;
                        break;
                }
                r = read_one(&reader);
                if (r != 0)
                        return r;
        }

        *ret_used = reader.next;
        return 0;
}

void options_print(const Option *options, FILE *stream) {
        for (const Option *o = options; o && o->name; o++) {
                char letter[] = { '-', o->letter, ',', '\0' };
                const char *join = !o->argument ? "" : o->optional ? "[=" : "=";
                int used = fprintf(stream, "  %3s --%s%s%s%s", o->letter ? letter : "", o->name, join,
                                   o->argument ?: "", o->argument && o->optional ? "]" : "");

                fprintf(stream, "%*s  %s\n", used < 28 ? 28 - used : 0, "", o->help);
        }
}
