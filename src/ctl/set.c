/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl set: changes limits of a container while it runs.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "basic/string.h"
#include "ctl/each.h"
#include "ctl/service.h"
#include "ctl/verb.h"

static bool runtime;

static int call(berth *connection, const char *name, const void *userdata) {
        return berth_set_properties(connection, name, userdata, runtime ? BERTH_SET_RUNTIME : 0);
}

static int run(const Arguments *arguments) {
        const Arguments name = { .words = arguments->words, .n = 1, .n_before = 1 };

        for (size_t i = 1; i < arguments->n; i++)
                if (!strchr(arguments->words[i], '=') || arguments->words[i][0] == '=') {
                        _cleanup_free_ char *shown = string_escape_unprintable(arguments->words[i]);

                        fprintf(stderr, "berthctl: \"%s\" is not KEY=VALUE, such as MemoryMax=2G\n",
                                shown ?: "?");
                        return STATUS_USAGE;
                }

        return each_container(
                        &name, &(const Each){ .doing = "change",
                                              .progress = "Changing",
                                              .call = call,
                                              .userdata = arguments->words + 1 });
}

/* clang-format off */
static const Option options[] = {
        { "runtime", 0, OPTION_FLAG, &runtime, .help = "until the next boot of the host only" },
        { 0 },
};
/* clang-format on */

const Verb verb_set = {
        .name = "set",
        .arguments = "NAME KEY=VALUE...",
        .minimum = 2,
        .maximum = SIZE_MAX,
        .options = options,
        .run = run,
        .summary = "change limits of a container while it runs",
        .details = "Changes resource properties at once: keys and values as in [Resources] of berth.container(5). All of\n"
                   "them are changed or none. They hold on until the container is removed, over restarts too, unless\n"
                   "--runtime is given. NAME may be a pattern of the shell.",
};
