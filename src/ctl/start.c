/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl start: starts containers and waits until they run.
 */
#include <stdint.h>

#include "basic/string.h"
#include "ctl/each.h"
#include "ctl/verb.h"

/* One that runs already is as it should be. */
static int call(berth *connection, const char *name, const void *userdata) {
        int r = berth_start(connection, name);

        return r < 0 && streq_null(berth_error_name(connection), BERTH_ERROR_ALREADY_RUNNING) ? 0 : r;
}

static int run(const Arguments *arguments) {
        return each_container(
                        arguments, &(const Each){ .doing = "start", .progress = "Starting", .call = call });
}

const Verb verb_start = {
        .name = "start",
        .arguments = "NAME...",
        .minimum = 1,
        .maximum = SIZE_MAX,
        .run = run,
        .summary = "start containers",
        .details = "Starts each container and waits until its init runs or, with Ready=guest, until the guest says that it\n"
                   "is up. When a start fails the first cause is told, the same that berthctl status shows. One\n"
                   "that runs already is left alone.",
};
