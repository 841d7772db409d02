/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl verify: everything that is wrong with a definition, its trust included, without starting it.
 */
#include <errno.h>
#include <string.h>

#include "basic/string.h"
#include "ctl/common.h"
#include "ctl/names.h"
#include "ctl/settings.h"
#include "ctl/verb.h"

static int verify(const char *argument) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        _cleanup_free_ char *shown = string_escape_unprintable(argument), *name = name_from_word(argument),
                            *reason = NULL;
        const DefinitionSources *sources = definition_sources_host();
        int status, r;

        if (!name)
                return report_errno(-ENOMEM, "cannot read the name");

        if (strchr(argument, '/') || string_ends_with(argument, ".container"))
                r = definition_load_file(sources, argument, &definition, &problems);
        else
                r = definition_load(sources, name, &definition, &problems);
        status = report_definition(r, definition, &problems);
        if (status != STATUS_FINE)
                return status;

        if (definition->trusted) {
                if (!settings.quiet)
                        printf("%s: valid\n", shown ?: "?");
                return STATUS_FINE;
        }

        reason = string_escape_unprintable(definition->untrusted_reason);
        if (!settings.quiet)
                printf("%s: valid, and asks for nothing that needs trust (it is not trusted: %s)\n", shown ?: "?",
                       reason ?: "?");

        return STATUS_FINE;
}

static int run(const Arguments *arguments) {
        int status = STATUS_FINE;

        for (size_t i = 0; i < arguments->n; i++)
                status = status_join(status, verify(arguments->words[i]));

        return status;
}

const Verb verb_verify = {
        .name = "verify",
        .arguments = "FILE|NAME...",
        .minimum = 1,
        .maximum = SIZE_MAX,
        .local = true,
        .run = run,
        .summary = "check definitions without starting anything",
        .details = "Reads definitions as a start would and prints everything that is wrong with them. An argument with\n"
                   "a slash, or that ends in .container, is a file, which is read on its own; another is a container's\n"
                   "name, whose file is read with its drop-ins.",
};
