/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/launch/subject.h"

#include <errno.h>

#include "basic/cleanup.h"
#include "spec/load.h"
#include "spec/policy.h"
#include "spec/unit.h"

int subject_problem(Failure *failure, const Problems *problems, int error) {
        _cleanup_free_ char *text = NULL;

        if (problems->n == 0)
                return error;
        text = problem_format(&problems->list[0]);
        if (!text)
                return -ENOMEM;

        return failure_cause(failure, error, "%s", text);
}

int subject_check(Failure *failure, const Definition *definition) {
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        int r;

        r = step_begin(failure, STEP_POLICY, "%s", definition->name);
        if (r < 0)
                return r;
        r = policy_check(definition, &problems);

        return r > 0 ? subject_problem(failure, &problems, -START_ERRNO_POLICY) : r;
}

int subject_load(Failure *failure, const char *name, Definition **ret) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        int r;

        r = step_begin(failure, STEP_DEFINITION, "%s", name);
        if (r < 0)
                return r;
        r = definition_load(definition_sources_host(), name, &definition, &problems);
        if (r < 0)
                return r;
        if (r > 0)
                return subject_problem(failure, &problems,
                                       r == DEFINITION_E_NOT_FOUND ? -ENOENT : -START_ERRNO_INVALID_DEFINITION);

        r = subject_check(failure, definition);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(definition);
        return 0;
}
