/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Definitions from and to texts; see text.h. What cannot go wrong in a test ends the program.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/load.h"
#include "spec/print.h"
#include "text.h"

char *problems_text(const Problems *problems) {
        char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        if (!stream || problems_print(problems, stream) < 0 || fclose(stream) != 0)
                abort();

        return text;
}

Definition *definition_from_text(const char *text, bool trusted, char **ret_problems) {
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        Definition *definition = NULL;
        int r;

        r = definition_load_text("test", "test.container", text, strlen(text), trusted, &definition,
                                 &problems);
        if (r < 0 || (r == 0) != (problems.n == 0) || (r == 0) != !!definition)
                abort();
        if (ret_problems)
                *ret_problems = problems_text(&problems);

        return definition;
}

char *definition_text(const Definition *definition, bool comments) {
        char *text = NULL, *to;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        if (!stream || definition_print(definition, stream) < 0 || fclose(stream) != 0)
                abort();
        if (comments)
                return text;

        to = text;
        for (const char *line = text, *next; *line; line = next) {
                next = strchr(line, '\n') + 1;
                if (*line == '#' || *line == '\n')
                        continue;
                memmove(to, line, (size_t) (next - line));
                to += next - line;
        }
        *to = '\0';

        return text;
}
