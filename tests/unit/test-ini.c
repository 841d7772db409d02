/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The grammar of definition files: what is a section, an assignment, a comment, a continued line, and what
 * is refused. The handler writes down what it is called with.
 */
#include <errno.h>
#include <unistd.h>

#include "basic/string.h"
#include "spec/ini.h"
#include "spec/limits.h"
#include "test.h"
#include "text.h"

static int note_section(void *userdata, const char *name, unsigned line) {
        fprintf(userdata, "%u[%s]", line, name);
        return streq(name, "stop") ? -ECANCELED : 0;
}

static int note_assignment(void *userdata, const char *key, const char *value, unsigned line) {
        fprintf(userdata, "%u:%s=<%s>", line, key, value);
        return 0;
}

/* What the handler saw of TEXT; the problems in *RET_PROBLEMS. */
static char *parse(const char *text, size_t size, int expected, char **ret_problems) {
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        char *seen = NULL;
        size_t seen_size;
        FILE *stream = open_memstream(&seen, &seen_size);
        IniHandler handler = { stream, note_section, note_assignment };

        REQUIRE(stream);
        CHECK_INT(ini_parse("f", text, size, &handler, &problems), expected);
        fclose(stream);
        *ret_problems = problems_text(&problems);

        return seen;
}

static void test_grammar(void) {
        static const struct {
                const char *text, *seen;
        } rows[] = {
                { "", "" },
                { "\n\n  \n", "" },
                { "# comment\n  ; another\n", "" },
                { "[A]\nk=v\n", "1[A]2:k=<v>" },
                { "[A]\nk=v", "1[A]2:k=<v>" },
                { "\xef\xbb\xbf[A]\n", "1[A]" },
                { "  [A]  \n\t k \t=  v w \t\n", "1[A]2:k=<v w>" },
                { "[A]\nk=\n", "1[A]2:k=<>" },
                { "[A]\nk=a=b\n", "1[A]2:k=<a=b>" },
                { "[A]\nk=a # not a comment\n", "1[A]2:k=<a # not a comment>" },
                { "[A]\nk=a\\\n  b\nl=c\n", "1[A]2:k=<a   b>4:l=<c>" },
                { "[A]\nk=a\\\n# comment\n ; comment\nb\n", "1[A]2:k=<a b>" },
                { "[A]\nk=a\\\n\nl=c\n", "1[A]2:k=<a>4:l=<c>" },
                { "[A]\nk=a\\\\\nl=c\n", "1[A]2:k=<a\\\\>3:l=<c>" },
                { "[A]\nk=a\\", "1[A]2:k=<a>" },
                { "[A]\nk=\xc3\xa4\n", "1[A]2:k=<\xc3\xa4>" },
                { "[A b]\n[A b]\n", "1[A b]2[A b]" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *problems = NULL,
                                    *seen = parse(rows[i].text, strlen(rows[i].text), 0, &problems);

                CHECK_STR(seen, rows[i].seen);
                CHECK_STR(problems, "");
        }
}

static void test_refusals(void) {
        static const struct {
                const char *text;
                size_t size; /* 0: up to the NUL */
                const char *problem, *seen;
        } rows[] = {
                { "k=v\n[A]\n", 0, "f:1: k=: stands before the first [Section]", "2[A]" },
                { "[A]\nword\nk=v\n", 0, "f:2: this is neither [Section] nor Key=value", "1[A]3:k=<v>" },
                { "[A]\n=v\n", 0, "f:2: this is neither", "1[A]" },
                { "[A\n", 0, "f:1: a section is written as [Name]", "" },
                { "[]\n", 0, "f:1: a section is written as [Name]", "" },
                { "[A] x\n", 0, "f:1: a section is written as [Name]", "" },
                { "[A]\nk=\xff\nl=w\n", 0, "f:2: the line is not valid UTF-8", "1[A]3:l=<w>" },
                { "[A]\nk=a\0b\n", 10, "f:2: the line has a control character (U+0000)", "1[A]" },
                { "[A]\nk=a\033b\n", 0, "f:2: the line has a control character (U+001B)", "1[A]" },
                { "[A]\nk=a\xc2\x9b\n", 0, "f:2: the line has a control character (U+009B)", "1[A]" },
                { "[A]\r\nk=v\n", 0, "f:1: the line has a carriage return", "" },
                { "# \xff\n", 0, "f:1: the line is not valid UTF-8", "" },
                { "[A]\nk=a\\ \nl=w\n", 0, "f:2: white space follows the backslash", "1[A]3:l=<w>" },
                { "[A]\nk=a\\\nb\xff\nl=w\n", 0, "f:3: the line is not valid UTF-8", "1[A]4:l=<w>" },
                { "[A]\nk=\xff\\\nj=\xff\\\n# c\ni=v\nl=w\n", 0, "f:2: the line is not valid UTF-8",
                  "1[A]6:l=<w>" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                size_t size = rows[i].size > 0 ? rows[i].size : strlen(rows[i].text);
                _cleanup_free_ char *problems = NULL, *seen = parse(rows[i].text, size, 0, &problems);

                CHECK_HAS(problems, rows[i].problem);
                CHECK_STR(seen, rows[i].seen);
                CHECK_STR(strchr(problems, '\n'), "\n");
        }
}

static void test_limits(void) {
        size_t size = LINE_SIZE_MAX + 100;
        _cleanup_free_ char *text = malloc(size), *problems = NULL, *seen = NULL, *more = NULL,
                            *stopped = NULL;

        REQUIRE(text);
        memset(text, 'x', size);
        memcpy(text, "[A]\nk=", 6);
        seen = parse(text, size, 0, &problems);
        CHECK_STR(seen, "1[A]");
        CHECK_HAS(problems, "f:2: the line is longer than 65536 bytes");

        /* The same in continued lines. */
        for (size_t i = 1000; i < size; i += 1000)
                memcpy(text + i, "\\\n", 2);
        free(problems);
        free(seen);
        seen = parse(text, size, 0, &problems);
        CHECK_STR(seen, "1[A]");
        CHECK_STR(problems, "f:67: the line is longer than 65536 bytes\n");

        /* Not more problems than anybody reads. */
        for (size_t i = 0; i + 1 < size; i += 2)
                memcpy(text + i, "x\n", 2);
        free(problems);
        more = parse(text, size, 0, &problems);
        CHECK_HAS(problems, "f:100: this is neither");
        CHECK(!strstr(problems, "f:101:"));
        CHECK_HAS(problems, "and more: only the first 100 are shown");

        free(problems);
        stopped = parse("[stop]\nk=v\n", 11, -ECANCELED, &problems);
        CHECK_STR(stopped, "1[stop]");
}

/* The largest file as one line of nothing but continuations, many times: what looks at a line again for each
 * of its parts takes minutes for it. */
static void test_continuations(void) {
        _cleanup_free_ char *text = malloc(FILE_SIZE_MAX);

        REQUIRE(text);
        for (size_t i = 0; i < FILE_SIZE_MAX; i += 2)
                memcpy(text + i, "\\\n", 2);
        memcpy(text, "[A]\nk=", 6);
        alarm(60);
        for (unsigned i = 0; i < 30; i++) {
                _cleanup_free_ char *problems = NULL, *seen = parse(text, FILE_SIZE_MAX, 0, &problems);

                CHECK_STR(seen, "1[A]");
                CHECK_STR(problems, "f:65536: the line is longer than 65536 bytes\n");
        }
        alarm(0);
}

TESTS(test_grammar, test_refusals, test_limits, test_continuations)
