/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl enable and disable: whether containers start with the host. It is systemd's business, which asks polkit
 * about the caller by itself.
 */
#include <stdio.h>

#include "basic/string.h"
#include "basic/strv.h"
#include "ctl/service.h"
#include "ctl/settings.h"
#include "ctl/verb.h"

static bool now;

/* Starts or stops, where that is not so already. */
static int change_state(berth *connection, const char *name, bool enable) {
        int r = enable ? berth_start(connection, name) : berth_stop(connection, name, 0);
        const char *error = berth_error_name(connection);
        const char *as_wanted = enable ? BERTH_ERROR_ALREADY_RUNNING : BERTH_ERROR_NOT_RUNNING;

        if (r >= 0 || (streq_null(error, as_wanted)))
                return STATUS_FINE;

        return service_failed(connection, r, enable ? "start" : "stop", name);
}

static int change(const Arguments *arguments, bool enable) {
        _cleanup_(berth_closep) berth *connection = NULL;
        _cleanup_(strv_freep) char **names = NULL;
        int status, next, r;

        status = service_open(&connection);
        if (status == STATUS_FINE)
                status = service_names(connection, arguments->words, arguments->n, &names);
        if (status != STATUS_FINE)
                return status;

        for (char **name = names; *name; name++) {
                r = enable ? berth_enable(connection, *name) : berth_disable(connection, *name);
                if (r < 0)
                        next = service_failed(connection, r, enable ? "enable" : "disable", *name);
                else
                        next = now ? change_state(connection, *name, enable) : STATUS_FINE;
                status = status_join(status, next);
        }

        return status;
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
                   "units does. machines.target itself has to be enabled once.",
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
