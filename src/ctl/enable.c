/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl enable and disable: whether containers start with the host. It is systemd's business, which asks polkit
 * about the caller by itself.
 */
#include <errno.h>
#include <stdio.h>

#include "basic/string.h"
#include "basic/strv.h"
#include "ctl/common.h"
#include "ctl/each.h"
#include "ctl/service.h"
#include "ctl/settings.h"
#include "ctl/verb.h"

static bool now;

/* Where it is not so already. */
static int start(berth *connection, const char *name, const void *userdata) {
        int r = berth_start(connection, name);

        return r < 0 && streq_null(berth_error_name(connection), BERTH_ERROR_ALREADY_RUNNING) ? 0 : r;
}

static int stop(berth *connection, const char *name, const void *userdata) {
        int r = berth_stop(connection, name, 0);

        return r < 0 && streq_null(berth_error_name(connection), BERTH_ERROR_NOT_RUNNING) ? 0 : r;
}

static int change(const Arguments *arguments, bool enable) {
        static const Each starting = { .doing = "start", .progress = "Starting", .call = start };
        static const Each stopping = { .doing = "stop", .progress = "Stopping", .call = stop };
        _cleanup_(berth_closep) berth *connection = NULL;
        _cleanup_(strv_freep) char **names = NULL, **done = NULL;
        int status, r;

        status = service_open(&connection);
        if (status == STATUS_FINE)
                status = service_names(connection, arguments->words, arguments->n, &names);
        if (status != STATUS_FINE)
                return status;

        for (char **name = names; *name; name++) {
                r = enable ? berth_enable(connection, *name) : berth_disable(connection, *name);
                if (r < 0)
                        status = status_join(
                                        status,
                                        service_failed(connection, r, enable ? "enable" : "disable", *name));
                else if (now && strv_append(&done, *name) < 0)
                        return report_errno(-ENOMEM, "cannot put the names together");
        }
        if (!done)
                return status;

        return status_join(status, each_name(connection, done, enable ? &starting : &stopping));
}

static int run_enable(const Arguments *arguments) {
        return change(arguments, true);
}

static int run_disable(const Arguments *arguments) {
        return change(arguments, false);
}

/* clang-format off */
static const Option options_enable[] = {
        { "now", 0, OPTION_FLAG, &now, .help = "start them, too" },
        { 0 },
};
static const Option options_disable[] = {
        { "now", 0, OPTION_FLAG, &now, .help = "stop them, too" },
        { 0 },
};
/* clang-format on */

const Verb verb_enable = {
        .name = "enable",
        .arguments = "NAME...",
        .minimum = 1,
        .maximum = SIZE_MAX,
        .options = options_enable,
        .run = run_enable,
        .summary = "start containers with the host",
        .details = "Has systemd start the containers whenever machines.target is started, as systemctl enable of their\n"
                   "units does. machines.target itself has to be enabled, as it is by Debian's package.",
};

const Verb verb_disable = {
        .name = "disable",
        .arguments = "NAME...",
        .minimum = 1,
        .maximum = SIZE_MAX,
        .options = options_disable,
        .run = run_disable,
        .summary = "do not start containers with the host",
        .details = "Undoes what enable does.",
};
