/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berth-seccomp: makes a program for the kernel of system call filter profiles. People use it to look at
 * profiles before a container needs them; the helper runs it when it has no program for a container yet,
 * without any right, with all that it needs on standard input.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/string.h"
#include "seccomp/filter.h"
#include "seccomp/lxc.h"
#include "spec/limits.h"

#define BUNDLE_MAX (2 * FILE_SIZE_MAX)
#define EXIT_USAGE 2

typedef struct Arguments {
        const char *directory; /* in the place of the usual ones */
        const char *architecture;
        char **words;
        int n;
} Arguments;

static int fail(const char *what, int error) {
        _cleanup_free_ char *shown = string_escape_unprintable(what);

        fprintf(stderr, "berth-seccomp: %s: %s\n", shown ?: "", strerror(-error));
        return EXIT_FAILURE;
}

/* A word with a slash, or that ends as files of profiles do, is a file, any other a profile. */
static int add_word(SeccompBundle *bundle, const char *word, int number, FILE *lines) {
        _cleanup_free_ char *name = NULL;
        char *text;
        size_t size;
        int r;

        if (!strchr(word, '/') && !string_ends_with(word, SECCOMP_SUFFIX)) {
                fprintf(lines, "extends %s\n", word);
                return 0;
        }

        name = string_printf("argument-%d", number);
        if (!name)
                return -ENOMEM;
        fprintf(lines, "extends %s\n", name);
        r = file_read(AT_FDCWD, word, FILE_SIZE_MAX, &text, &size);
        return r < 0 ? r : seccomp_bundle_add_take(bundle, name, word, text, size);
}

/* Profiles are those that a start would take: in the usual places only files that root alone can write.
 * RET_WHAT is what could not be read. */
static int
read_words(const Arguments *arguments, SeccompBundle *bundle, Problems *problems, const char **ret_what) {
        _cleanup_free_ char *directory = arguments->directory ? realpath(arguments->directory, NULL) : NULL;
        const char *const directories[] = { directory, NULL };
        _cleanup_(seccomp_bundle_clear) SeccompBundle files = SECCOMP_BUNDLE_NULL;
        char *lines = NULL;
        size_t size = 0;
        FILE *stream;
        int r = 0;

        *ret_what = arguments->directory;
        if (arguments->directory && !directory)
                return -errno;
        stream = open_memstream(&lines, &size);
        if (!stream)
                return -ENOMEM;
        for (int i = 0; i < arguments->n && r >= 0; i++) {
                *ret_what = arguments->words[i];
                r = add_word(&files, arguments->words[i], i, stream);
        }
        if (fclose(stream) != 0 && r >= 0)
                r = -ENOMEM;
        if (r < 0) {
                free(lines);
                return r;
        }

        r = seccomp_bundle_add_take(bundle, "", "command line", lines, size);
        for (size_t i = 0; i < files.n && r >= 0; i++) {
                SeccompSource *source = files.sources + i;

                r = seccomp_bundle_add_take(
                                bundle, source->name, source->label, TAKE_PTR(source->text), source->size);
        }

        return r < 0 ? r
                     : seccomp_bundle_complete(
                                       bundle, arguments->directory ? directories : seccomp_directories,
                                       arguments->directory ? NULL : definition_sources_host(), problems);
}

static int read_input(SeccompBundle *bundle) {
        _cleanup_free_ char *data = NULL;
        size_t size;
        int r;

        r = fd_read_all(STDIN_FILENO, BUNDLE_MAX, &data, &size);
        return r < 0 ? r : seccomp_bundle_parse(data, size, bundle);
}

/* From words or standard input to a filter; says what is wrong. */
static int make(const Arguments *arguments, Filter *ret) {
        _cleanup_(seccomp_bundle_clear) SeccompBundle bundle = SECCOMP_BUNDLE_NULL;
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        _cleanup_(profile_freep) Profile *profile = NULL;
        unsigned architectures = filter_architectures();
        const char *what = "standard input";
        int r;

        if (arguments->architecture)
                architectures = streq(arguments->architecture, "arm64") ? 1U << CALLS_ARM64 | 1U << CALLS_ARM
                                                                        : CALL_ARCHITECTURES_ALL & 7;
        if (architectures == 0)
                return fail("this architecture", -EOPNOTSUPP);

        r = arguments->n > 0 ? read_words(arguments, &bundle, &problems, &what) : read_input(&bundle);
        if (r >= 0)
                r = profile_parse(&bundle, &profile, &problems);
        if (r >= 0)
                r = filter_compile(profile, architectures, ret, &problems);
        if (r < 0 && problems.n > 0)
                (void) problems_print(&problems, stderr);
        else if (r < 0)
                (void) fail(what, r);

        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Half a profile is another one. */
static int finish_output(void) {
        return fflush(stdout) != 0 ? fail("cannot write the output", -errno) : EXIT_SUCCESS;
}

static int verb_compile(const Arguments *arguments) {
        _cleanup_(filter_clear) Filter filter = FILTER_NULL;
        int r;

        if (isatty(STDOUT_FILENO)) {
                fprintf(stderr,
                        "berth-seccomp: a program is nothing to look at; redirect the output into a file\n");
                return EXIT_FAILURE;
        }
        if (make(arguments, &filter) != EXIT_SUCCESS)
                return EXIT_FAILURE;

        r = fd_write_all(STDOUT_FILENO, filter.instructions, filter.n * sizeof *filter.instructions);
        return r < 0 ? fail("standard output", r) : EXIT_SUCCESS;
}

static int verb_check(const Arguments *arguments) {
        _cleanup_(filter_clear) Filter filter = FILTER_NULL;

        if (arguments->n == 0) {
                fprintf(stderr, "berth-seccomp: check needs the name of a profile, or a path of one with a "
                                "slash in it\n");
                return EXIT_USAGE;
        }
        if (make(arguments, &filter) != EXIT_SUCCESS)
                return EXIT_FAILURE;

        printf("%zu instructions, %zu bytes\n", filter.n, filter.n * sizeof *filter.instructions);
        return finish_output();
}

static int verb_import(const Arguments *arguments) {
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        _cleanup_free_ char *text = NULL, *profile = NULL;
        size_t size;
        int r;

        if (arguments->n != 1) {
                fprintf(stderr, "berth-seccomp: import-lxc needs one file\n");
                return EXIT_USAGE;
        }
        r = file_read(AT_FDCWD, arguments->words[0], FILE_SIZE_MAX, &text, &size);
        if (r < 0)
                return fail(arguments->words[0], r);
        r = lxc_import(arguments->words[0], text, size, &profile, &problems);
        if (r < 0 && problems.n > 0) {
                (void) problems_print(&problems, stderr);
                return EXIT_FAILURE;
        }
        if (r < 0)
                return fail(arguments->words[0], r);

        fputs(profile, stdout);
        return finish_output();
}

static int usage(FILE *stream, int status) {
        fputs("Usage: berth-seccomp [OPTION...] compile [PROFILE...] > PROGRAM\n"
              "       berth-seccomp [OPTION...] check PROFILE...\n"
              "       berth-seccomp import-lxc FILE\n"
              "\n"
              "Makes system call filters of profiles, which berth.seccomp(5) explains.\n"
              "\n"
              "A PROFILE is a name, or a path if there is a slash in it or it ends in .seccomp.\n"
              "\n"
              "  --directory=DIR      look for profiles there only\n"
              "  --architecture=NAME  x86-64 or arm64, each with its 32-bit companions\n"
              "  --help               show this\n"
              "  --version            show the version\n",
              stream);
        return status;
}

static int refuse(const char *problem, const char *word) {
        _cleanup_free_ char *shown = string_escape_unprintable(word);

        fprintf(stderr, "berth-seccomp: %s \"%s\"; --help tells what there is\n", problem, shown ?: "?");
        return EXIT_USAGE;
}

int main(int argc, char **argv) {
        static const struct option options[] = {
                {"directory",        required_argument, NULL, 'd' },
                { "architecture",              required_argument, NULL, 'a' },
                { "help",                 no_argument, NULL, 'h' },
                { "version",no_argument, NULL, 'V' },
                {           },
        };
        static const struct {
                const char *name;
                int (*run)(const Arguments *arguments);
        } verbs[] = {
                {"compile",     verb_compile},
                { "check",      verb_check  },
                { "import-lxc", verb_import }
        };
        Arguments arguments = {};
        int option;

        while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
                switch (option) {
                case 'd':
                        arguments.directory = optarg;
                        break;
                case 'a':
                        arguments.architecture = optarg;
                        if (!streq(optarg, "x86-64") && !streq(optarg, "arm64"))
                                return refuse("--architecture= takes x86-64 or arm64, not", optarg);
                        break;
                case 'h':
                        return usage(stdout, EXIT_SUCCESS);
                case 'V':
                        printf("berth %s\n", BERTH_VERSION);
                        return EXIT_SUCCESS;
                default: /* getopt has said why */
                        return EXIT_USAGE;
                }
        if (optind >= argc)
                return usage(stderr, EXIT_USAGE);

        arguments.words = argv + optind + 1;
        arguments.n = argc - optind - 1;
        for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
                if (streq(argv[optind], verbs[i].name))
                        return verbs[i].run(&arguments);

        return refuse("it compiles, checks and imports (compile, check, import-lxc), and does not know",
                      argv[optind]);
}
