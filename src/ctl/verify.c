/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl verify: everything that is wrong with a definition, its trust included, without starting it.
 */
#include <string.h>

#include "basic/string.h"
#include "ctl/common.h"
#include "ctl/verb.h"
#include "spec/policy.h"

static int verify(const char *argument) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        _cleanup_free_ char *shown = string_escape_unprintable(argument), *reason = NULL;
        const DefinitionSources *sources = definition_sources_host();
        int r;

        if (strchr(argument, '/') || string_ends_with(argument, ".container"))
                r = definition_load_file(sources, argument, &definition, &problems);
        else
                r = definition_load(sources, argument, &definition, &problems);
        if (r == 0)
                r = policy_check(definition, &problems);
        if (r != 0)
                return report_problems(r, &problems);

        if (definition->trusted) {
                printf("%s: valid\n", shown ?: "?");
                return STATUS_FINE;
        }

        reason = string_escape_unprintable(definition->untrusted_reason);
        printf("%s: valid, and asks for nothing that needs trust (it is not trusted: %s)\n", shown ?: "?",
               reason ?: "?");

        return STATUS_FINE;
}

int verb_verify(int argc, char **argv) {
        int status = STATUS_FINE;

        for (int i = 1; i < argc; i++)
                status = status_join(status, verify(argv[i]));

        return status;
}
