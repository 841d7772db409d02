/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The whole way of a definition that somebody sends: grammar, keys, checks, policy, printing. What is taken
 * must be printed such that it is taken again and means the same; what is refused must come with a sentence.
 * The first byte says whether the text is trusted, the rest is the text.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "basic/string.h"
#include "equal.h"
#include "spec/load.h"
#include "spec/policy.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition) {
        if (!condition)
                abort();
}

static void check_taken(const Definition *definition) {
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        _cleanup_(definition_freep) Definition *again = NULL;
        _cleanup_free_ char *printed = definition_text(definition, true);
        int r;

        r = definition_load_text(definition->name, "input", printed, strlen(printed), definition->trusted,
                                 &again, &problems);
        must(r == 0 && problems.n == 0);
        must(!definition_difference(definition, again));

        r = policy_check(definition, &problems);
        must(r == (problems.n > 0 ? POLICY_E_FORBIDDEN : 0));
        must(!definition->trusted || r == 0);
        must(policy_check(again, &problems) == r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        _cleanup_(definition_freep) Definition *definition = NULL;
        int r;

        if (size == 0)
                return 0;

        r = definition_load_text("test", "input", (const char *) data + 1, size - 1, data[0] & 1,
                                 &definition, &problems);
        must(r == 0 || r == DEFINITION_E_INVALID);
        must((r == 0) == (problems.n == 0) && (r == 0) == !!definition);

        for (size_t i = 0; i < problems.n; i++) {
                _cleanup_free_ char *text = problem_format(problems.list + i);

                must(text && string_is_printable(text));
        }
        if (definition)
                check_taken(definition);

        return 0;
}
