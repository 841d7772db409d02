/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The whole test framework: checks that say what they saw and go on, and a main() made of a list of
 * functions. A test program exits with 1 if any check failed, with 77 if it was skipped.
 *
 *     static void test_something(void) { CHECK(1 + 1 == 2); }
 *     TESTS(test_something)
 */
#pragma once

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/macro.h"

#define TEST_SKIPPED 77

static unsigned test_failures, test_checks;

__attribute__((format(printf, 3, 4), unused)) static void test_fail(const char *file, int line,
                                                                    const char *format, ...) {
        va_list args;

        test_failures++;
        fprintf(stderr, "%s:%d: ", file, line);
        va_start(args, format);
        vfprintf(stderr, format, args);
        va_end(args);
        fputc('\n', stderr);
}

/* All of these go on after a failure; REQUIRE ends the program, for what the rest cannot do without. */
#define CHECK(condition)                                                                          \
        do {                                                                                      \
                test_checks++;                                                                    \
                if (!(condition))                                                                 \
                        test_fail(__FILE__, __LINE__, "not true: %s", #condition);                \
        } while (0)

#define CHECK_INT(expression, expected)                                                           \
        do {                                                                                      \
                intmax_t _seen = (intmax_t) (expression), _expected = (intmax_t) (expected);      \
                test_checks++;                                                                    \
                if (_seen != _expected)                                                           \
                        test_fail(__FILE__, __LINE__, "%s is %" PRIdMAX ", not %" PRIdMAX,        \
                                  #expression, _seen, _expected);                                 \
        } while (0)

#define CHECK_STR(expression, expected)                                                           \
        do {                                                                                      \
                const char *_seen = (expression), *_expected = (expected);                        \
                test_checks++;                                                                    \
                if (strcmp(_seen ? _seen : "(null)", _expected ? _expected : "(null)") != 0)      \
                        test_fail(__FILE__, __LINE__, "%s is \"%s\", not \"%s\"", #expression,    \
                                  _seen ? _seen : "(null)", _expected ? _expected : "(null)");    \
        } while (0)

/* That TEXT has PART in it. */
#define CHECK_HAS(text, part)                                                                     \
        do {                                                                                      \
                const char *_text = (text), *_part = (part);                                      \
                test_checks++;                                                                    \
                if (!_text || !strstr(_text, _part))                                              \
                        test_fail(__FILE__, __LINE__, "\"%s\" is not in \"%s\"", _part,           \
                                  _text ? _text : "(null)");                                      \
        } while (0)

#define REQUIRE(condition)                                                                        \
        do {                                                                                      \
                test_checks++;                                                                    \
                if (!(condition)) {                                                               \
                        test_fail(__FILE__, __LINE__, "needed: %s", #condition);                  \
                        exit(1);                                                                  \
                }                                                                                 \
        } while (0)

#define TESTS(...)                                                                                \
        int main(void) {                                                                          \
                void (*const tests[])(void) = { __VA_ARGS__ };                                    \
                for (size_t i = 0; i < ELEMENTSOF(tests); i++)                                    \
                        tests[i]();                                                               \
                printf("%u checks, %u failed\n", test_checks, test_failures);                     \
                return test_checks == 0 || test_failures > 0;                                     \
        }
