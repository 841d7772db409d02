/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl thaw: lets the processes of frozen containers go on.
 */
#include <stdint.h>

#include "ctl/each.h"
#include "ctl/verb.h"

static int call(berth *connection, const char *name, const void *userdata) {
        return berth_thaw(connection, name);
}

static int run(const Arguments *arguments) {
        return each_container(
                        arguments, &(const Each){ .doing = "thaw", .progress = "Thawing", .call = call });
}

const Verb verb_thaw = {
        .name = "thaw",
        .arguments = "NAME...",
        .minimum = 1,
        .maximum = SIZE_MAX,
        .run = run,
        .summary = "let frozen containers go on",
        .details = "Undoes what berthctl freeze did.",
};
