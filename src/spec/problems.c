/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The list of what is wrong; see problems.h.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "basic/array.h"
#include "basic/string.h"
#include "spec/limits.h"
#include "spec/problems.h"

static void problem_clear(Problem *problem) {
        free(problem->file);
        free(problem->key);
        free(problem->text);
}

void problems_clear(Problems *problems) {
        for (size_t i = 0; i < problems->n; i++)
                problem_clear(problems->list + i);
        free(problems->list);
        *problems = (Problems) PROBLEMS_EMPTY;
}

int problems_add(Problems *problems, const char *file, unsigned line, const char *key, const char *format,
                 ...) {
        Problem problem = { .line = line };
        va_list args;
        int r;

        if (problems->n >= PROBLEMS_MAX) {
                problems->full = true;
                return 0;
        }

        va_start(args, format);
        r = vasprintf(&problem.text, format, args);
        va_end(args);
        if (r < 0)
                return -ENOMEM;

        r = string_set(&problem.file, file);
        if (r >= 0)
                r = string_set(&problem.key, key);
        if (r >= 0)
                r = ARRAY_APPEND(problems->list, problems->n, problem);
        if (r < 0)
                problem_clear(&problem);

        return r;
}

char *problem_format(const Problem *problem) {
        _cleanup_free_ char *raw = NULL;
        char line[16] = "";

        if (problem->line > 0)
                (void) snprintf(line, sizeof line, ":%u", problem->line);

        raw = string_printf("%s%s%s%s%s%s", problem->file ?: "", line, problem->file ? ": " : "",
                            problem->key ?: "", problem->key ? "=: " : "", problem->text);

        return raw ? string_escape_unprintable(raw) : NULL;
}

int problems_print(const Problems *problems, FILE *stream) {
        for (size_t i = 0; i < problems->n; i++) {
                _cleanup_free_ char *text = problem_format(problems->list + i);

                if (!text)
                        return -ENOMEM;
                fprintf(stream, "%s\n", text);
        }
        if (problems->full)
                fprintf(stream, "and more: only the first %d are shown\n", PROBLEMS_MAX);

        return ferror(stream) ? -EIO : 0;
}
