/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl freeze: stops all processes of containers where they are.
 */
#include <stdint.h>

#include "ctl/each.h"
#include "ctl/verb.h"

static int call(berth *connection, const char *name, const void *userdata) {
        return berth_freeze(connection, name);
}

static int run(const Arguments *arguments) {
        return each_container(
                        arguments, &(const Each){ .doing = "freeze", .progress = "Freezing", .call = call });
}

const Verb verb_freeze = {
        .name = "freeze",
        .arguments = "NAME...",
        .minimum = 1,
        .maximum = SIZE_MAX,
        .run = run,
        .summary = "stop all processes of containers where they are",
        .details = "Stops all processes of each container where they are, until berthctl thaw. They keep their memory and do\n"
                   "not notice.",
};
