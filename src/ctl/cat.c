/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl cat: the merged definition of containers, with the origin of each value.
 */
#include "ctl/common.h"
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

int verb_cat(int argc, char **argv) {
        int status = STATUS_FINE;

        for (int i = 1; i < argc; i++) {
                if (i > 1)
                        putchar('\n');
                status = status_join(status, show(argv[i]));
        }

        return status;
}
