/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl stop: has containers shut down, and waits for their end.
 */
#include <stdint.h>
#include <stdio.h>

#include "basic/parse.h"
#include "basic/string.h"
#include "ctl/each.h"
#include "ctl/verb.h"

static const char *timeout;

/* One that does not run is as it should be. */
static int call(berth *connection, const char *name, const void *userdata) {
        int r = berth_stop(connection, name, *(const uint64_t *) userdata);

        return r < 0 && streq_null(berth_error_name(connection), BERTH_ERROR_NOT_RUNNING) ? 0 : r;
}

static int run(const Arguments *arguments) {
        uint64_t usec = 0;

        if (timeout && (parse_timespan(timeout, &usec) < 0 || usec == 0)) {
                fputs("berthctl: --timeout= takes a time span, such as 30s\n", stderr);
                return STATUS_USAGE;
        }

        return each_container(
                        arguments, &(const Each){ .doing = "stop",
                                                  .progress = "Stopping",
                                                  .call = call,
                                                  .userdata = &usec });
}

/* clang-format off */
static const Option options[] = {
        { "timeout", 0, OPTION_TEXT, &timeout, "TIME", .help = "kill what is left after that time, not the unit's own" },
        { 0 },
};
/* clang-format on */

const Verb verb_stop = {
        .name = "stop",
        .arguments = "NAME...",
        .minimum = 1,
        .maximum = SIZE_MAX,
        .options = options,
        .run = run,
        .summary = "shut containers down",
        .details = "Asks the init of each container to shut down, waits for its end, and has what is left killed when it\n"
                   "takes too long: after TimeoutStopSec= of its unit, or --timeout=. One that does not run is left alone.",
};
