/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl, the command line of berth: finds the verb in a table and runs it. What all verbs share is done
 * here: --help, --version, unknown words, and the check that everything really was written.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "ctl/verb.h"

static const Verb verbs[] = {
        { "cat", "NAME...", 1, verb_cat, "show a container's merged definition and where each value is from",
          "Prints the definition of each container as berth understands it: all files merged, defaults left "
          "out,\n"
          "above each key the file and line that set it. The output is a definition file itself." },
        { "verify", "FILE|NAME...", 1, verb_verify, "check definitions without starting anything",
          "Reads definitions as a start would and prints everything that is wrong with them. An argument "
          "with a\n"
          "slash, or that ends in .container, is a file, which is read on its own; another is a container's "
          "name,\n"
          "whose file is read with its drop-ins." },
};

static void print_help(FILE *stream) {
        fputs("Usage: berthctl VERB [ARGUMENT...]\n"
              "\n"
              "Look at and control containers.\n"
              "\n"
              "Verbs:\n",
              stream);
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++) {
                int used = fprintf(stream, "  %s %s", verbs[i].name, verbs[i].arguments);

                fprintf(stream, "%*s  %s\n", used < 26 ? 26 - used : 0, "", verbs[i].summary);
        }
        fputs("\n"
              "Options:\n"
              "  -h, --help                this text; after a verb, about the verb\n"
              "      --version             the version\n"
              "\n"
              "Exit status: 0 all well, 1 failed or something is wrong, 2 wrong usage, 4 no such "
              "container.\n"
              "More: berthctl(1), berth.container(5).\n",
              stream);
}

static void print_verb_help(const Verb *verb) {
        printf("Usage: berthctl %s %s\n\n%s\n", verb->name, verb->arguments, verb->details);
}

static const Verb *find_verb(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                if (streq(verbs[i].name, name))
                        return verbs + i;

        return NULL;
}

static int refuse_verb(const char *name) {
        _cleanup_free_ char *shown = string_escape_unprintable(name);
        const char *near = NULL;
        size_t nearest = 3;

        for (size_t i = 0; i < ELEMENTSOF(verbs); i++) {
                size_t distance = string_distance(verbs[i].name, name, nearest);

                if (distance < nearest) {
                        nearest = distance;
                        near = verbs[i].name;
                }
        }

        fprintf(stderr, "berthctl: there is no verb \"%s\"", shown ?: "?");
        if (near)
                fprintf(stderr, "; did you mean \"%s\"?\n", near);
        else
                fputs("; berthctl --help lists them\n", stderr);

        return STATUS_USAGE;
}

static int run_verb(const Verb *verb, int argc, char **argv) {
        for (int i = 1; i < argc; i++) {
                _cleanup_free_ char *shown = NULL;

                if (streq(argv[i], "--help") || streq(argv[i], "-h")) {
                        print_verb_help(verb);
                        return STATUS_FINE;
                }
                if (argv[i][0] != '-')
                        continue;

                shown = string_escape_unprintable(argv[i]);
                fprintf(stderr,
                        "berthctl: %s has no option \"%s\"; berthctl %s --help tells what it takes\n",
                        verb->name, shown ?: "?", verb->name);
                return STATUS_USAGE;
        }

        if (argc - 1 < verb->minimum) {
                fprintf(stderr, "berthctl: an argument is missing: berthctl %s %s\n", verb->name,
                        verb->arguments);
                return STATUS_USAGE;
        }

        return verb->run(argc, argv);
}

static int run(int argc, char **argv) {
        const Verb *verb;

        if (argc < 2 || streq(argv[1], "--help") || streq(argv[1], "-h") || streq(argv[1], "help")) {
                print_help(stdout);
                return STATUS_FINE;
        }
        if (streq(argv[1], "--version")) {
                puts("berthctl " BERTH_VERSION);
                return STATUS_FINE;
        }

        verb = find_verb(argv[1]);

        return verb ? run_verb(verb, argc - 1, argv + 1) : refuse_verb(argv[1]);
}

int main(int argc, char **argv) {
        int status = run(argc, argv);

        if (fflush(stdout) != 0 || ferror(stdout)) {
                fprintf(stderr, "berthctl: cannot write the output: %s\n", strerror(errno));
                return status_join(status, STATUS_FAILED);
        }

        return status;
}
