/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows of tests about keys: what a definition with a line in it says when it is printed, or what is said
 * about it. Each definition that is taken is printed, read again and compared.
 */
#pragma once

#include "basic/string.h"
#include "equal.h"
#include "test.h"
#include "text.h"

#define ROOT "[Root]\nPath=/r\n"

/* TEXT is taken, says CANONICAL (lines) when it is printed, and says the same when that is read. */
__attribute__((unused)) static void check_taken(const char *text, const char *canonical) {
        _cleanup_free_ char *problems = NULL, *printed = NULL, *commented = NULL, *wrapped = NULL;
        _cleanup_(definition_freep) Definition *definition = definition_from_text(text, true, &problems),
                                               *again = NULL;

        if (!definition) {
                test_fail(__FILE__, __LINE__, "refused: %s\n%s", text, problems);
                return;
        }
        printed = definition_text(definition, false);
        wrapped = string_printf("\n%s", printed);
        CHECK_HAS(wrapped, canonical);

        commented = definition_text(definition, true);
        again = definition_from_text(commented, true, NULL);
        REQUIRE(again);
        CHECK_STR(definition_difference(definition, again), NULL);
}

__attribute__((unused)) static void check_refused(const char *text, const char *problem) {
        _cleanup_free_ char *problems = NULL;
        _cleanup_(definition_freep) Definition *definition = definition_from_text(text, true, &problems);

        if (definition)
                test_fail(__FILE__, __LINE__, "taken: %s", text);
        else
                CHECK_HAS(problems, problem);
        CHECK(string_is_printable(problems) || strchr(problems, '\n'));
}

/* A section and line, around which the rest of a definition is put. */
typedef struct Row {
        const char *section, *line, *expected;
} Row;

__attribute__((unused)) static char *row_text(const Row *row) {
        bool command = streq(row->section, "Container") &&
                       (string_after_prefix(row->line, "User=") || string_after_prefix(row->line, "Group") ||
                        string_after_prefix(row->line, "WorkingDirectory=") ||
                        string_after_prefix(row->line, "Boot=r") ||
                        string_after_prefix(row->line, "Boot=no") ||
                        string_after_prefix(row->line, "Boot=f"));
        bool mount = streq(row->section, "Mount");

        return string_printf("[Root]\nPath=/srv/test\n%s[%s]\n%s%s\n",
                             command ? "[Container]\nCommand=/bin/true\n" : "", row->section,
                             mount && !strstr(row->line, "Target=") ? "Target=/t\n" : "", row->line);
}
