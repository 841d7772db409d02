/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl kill: sends a signal to processes of containers.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>

#include "basic/parse.h"
#include "basic/string.h"
#include "ctl/each.h"
#include "ctl/verb.h"

static const char *sending = "SIGTERM", *whom = "all";

static int call(berth *connection, const char *name, const void *userdata) {
        return berth_kill(connection, name, whom, *(const int *) userdata);
}

static int run(const Arguments *arguments) {
        int number;

        if (parse_signal(sending, &number) < 0) {
                fputs("berthctl: --signal= takes a name or number of signal(7), such as SIGHUP\n", stderr);
                return STATUS_USAGE;
        }
        if (!streq(whom, "leader") && !streq(whom, "all")) {
                fputs("berthctl: --whom= takes leader or all\n", stderr);
                return STATUS_USAGE;
        }

        return each_container(
                        arguments, &(const Each){ .doing = "kill",
                                                  .progress = "Killing",
                                                  .call = call,
                                                  .userdata = &number });
}

/* clang-format off */
static const Option options[] = {
        { "signal", 's', OPTION_TEXT, &sending, "SIGNAL", .help = "which one, SIGTERM by default" },
        { "whom",   0,   OPTION_TEXT, &whom, "WHOM", .help = "leader, the container's init, or all, the default" },
        { 0 },
};
/* clang-format on */

const Verb verb_kill = {
        .name = "kill",
        .arguments = "NAME...",
        .minimum = 1,
        .maximum = SIZE_MAX,
        .options = options,
        .run = run,
        .summary = "send a signal to processes of containers",
        .details = "Sends a signal to all processes of each container, or to its init alone. To shut a container down,\n"
                   "berthctl stop is the better way.",
};
