/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/seccomp/program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "helper/seccomp/cache.h"
#include "helper/seccomp/compile.h"
#include "spec/load.h"
#include "spec/problems.h"
#include "spec/seccomp.h"

void seccomp_program_done(SeccompProgram *program) {
        free(program->instructions);
        program->file = fd_close(program->file);
        *program = SECCOMP_PROGRAM_NULL;
}

static int tell(Failure *failure, int error, const char *message) {
        /* The first of its lines. */
        return failure_cause(failure, error, "%.*s", (int) strcspn(message, "\n"), message);
}

static int bundle_read(Failure *failure, const Definition *definition, char **ret, size_t *ret_size) {
        _cleanup_(seccomp_bundle_clear) SeccompBundle bundle = SECCOMP_BUNDLE_NULL;
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        int r;

        r = seccomp_bundle_begin(&bundle, definition);
        if (r >= 0)
                r = seccomp_bundle_complete(
                                &bundle, seccomp_directories, definition_sources_host(), &problems);
        if (r < 0 && problems.n > 0) {
                _cleanup_free_ char *sentence = problem_format(problems.list);

                return tell(failure, r, sentence ?: "");
        }

        return r < 0 ? r : seccomp_bundle_print(&bundle, ret, ret_size);
}

static int
program_make(Failure *failure, int cache, const char *bundle, size_t bundle_size, SeccompProgram *ret) {
        _cleanup_free_ char *instructions = NULL, *message = NULL;
        size_t size = 0;
        int r;

        r = seccomp_compile(bundle, bundle_size, &instructions, &size, &message);
        if (r == -EBADMSG)
                return tell(failure, r, message);
        if (r == -ENOEXEC)
                return failure_cause(
                                failure, r,
                                BERTH_BINDIR "/" SECCOMP_PROGRAM ", which makes the filter, could not be "
                                             "run");
        if (r == -ECANCELED)
                return failure_cause(
                                failure, r,
                                SECCOMP_PROGRAM ", which makes the filter, was killed or crashed");
        if (r == -EAGAIN)
                return failure_no_process(failure);
        if (r < 0)
                return r;

        r = seccomp_cache_keep(cache, ret->name, instructions, size, ret);
        return r == -EBADMSG ? failure_cause(failure, r, SECCOMP_PROGRAM " gave what is no filter") : r;
}

int seccomp_program_prepare(Failure *failure, const LaunchPlan *plan, SeccompProgram *ret) {
        const Definition *definition = plan->definition;
        _cleanup_free_ char *bundle = NULL;
        _cleanup_close_ int cache = -EBADF;
        size_t size;
        int r;

        if (!definition_seccomp(definition))
                return 0;

        r = step_begin(failure, STEP_SECCOMP, "of the profile %s", definition_seccomp(definition));
        if (r < 0)
                return r;
        r = bundle_read(failure, definition, &bundle, &size);
        if (r < 0)
                return r;
        seccomp_bundle_name(bundle, size, ret->name);

        /* Without a cache, on a host whose /var is read-only or full, a start takes longer. */
        r = seccomp_cache_open(&cache);
        if (r == 0)
                r = seccomp_cache_read(cache, ret->name, ret);
        if (r < 0)
                r = program_make(failure, cache, bundle, size, ret);
        if (r < 0)
                return r;

        if (ret->notifies && !definition->seccomp_notify)
                return failure_cause(
                                failure, -EINVAL,
                                "it has rules with the action notify, and SeccompNotify= does not "
                                "say who answers");
        if (!ret->notifies && definition->seccomp_notify)
                return failure_cause(
                                failure, -EINVAL,
                                "SeccompNotify= is set, and no rule has the action notify");

        return 0;
}
