/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl cat: the merged definition of containers, with the origin of each value.
 */
#include "basic/strv.h"
#include "ctl/common.h"
#include "ctl/names.h"
#include "ctl/pager.h"
#include "ctl/verb.h"
#include "spec/print.h"

static int show(const char *name) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        int r;

        r = definition_load(definition_sources_host(), name, &definition, &problems);
        if (r == 0)
                r = definition_print(definition, stdout);

        return report_problems(r, &problems);
}

static int run(const Arguments *arguments) {
        _cleanup_(strv_freep) char **names = NULL;
        int status;

        status = defined_names(arguments, &names);
        if (status != STATUS_FINE)
                return status;

        pager_open();
        for (size_t i = 0; names[i]; i++) {
                if (i > 0)
                        putchar('\n');
                status = status_join(status, show(names[i]));
        }

        return status;
}

const Verb verb_cat = {
        .name = "cat",
        .arguments = "NAME...",
        .minimum = 1,
        .maximum = SIZE_MAX,
        .local = true,
        .run = run,
        .summary = "show a container's merged definition and where each value is from",
        .details = "Prints the definition of each container as berth understands it: all files merged, defaults left\n"
                   "out, above each key the file and line that set it. The output is a definition file itself. A name\n"
                   "may be a pattern of the shell.",
};
