/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From results of loading to words on stderr and an exit status; see common.h.
 */
#include <string.h>

#include "ctl/common.h"
#include "ctl/verb.h"

int report_problems(int r, const Problems *problems) {
        (void) problems_print(problems, stderr);
        if (r < 0)
                fprintf(stderr, "berthctl: %s\n", strerror(-r));

        if (r == DEFINITION_E_NOT_FOUND)
                return STATUS_NO_CONTAINER;

        return r == 0 ? STATUS_FINE : STATUS_FAILED;
}
