/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl restart: stops containers that run, and starts them.
 */
#include <stdint.h>

#include "ctl/each.h"
#include "ctl/verb.h"

static int call(berth *connection, const char *name, const void *userdata) {
        return berth_restart(connection, name);
}

static int run(const Arguments *arguments) {
        return each_container(
                        arguments,
                        &(const Each){ .doing = "restart", .progress = "Restarting", .call = call });
}

const Verb verb_restart = {
        .name = "restart",
        .arguments = "NAME...",
        .minimum = 1,
        .maximum = SIZE_MAX,
        .run = run,
        .summary = "stop and start containers",
        .details = "Stops each container, if it runs, and starts it with its definition as it is now.",
};
