/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See service.h.
 */
#include <errno.h>
#include <string.h>

#include "basic/string.h"
#include "basic/strv.h"
#include "ctl/advice.h"
#include "ctl/agent.h"
#include "ctl/common.h"
#include "ctl/names.h"
#include "ctl/service.h"
#include "ctl/settings.h"
#include "ctl/verb.h"

int service_failed(const berth *connection, int r, const char *doing, const char *name) {
        const char *error = berth_error_name(connection), *message = berth_error_message(connection);
        _cleanup_free_ char *shown = name ? string_escape_unprintable(name) : NULL;

        if (string_after_prefix(message, "Cannot ")) /* it says all that by itself */
                fprintf(stderr, "berthctl: %s\n", message);
        else
                fprintf(stderr, "berthctl: cannot %s%s%s: %s\n", doing, shown ? " " : "", shown ?: "",
                        *message ? message : strerror(-r));
        advice_print(error, name, stderr);

        return advice_status(error);
}

/* What -M needs, of which one thing is missing. */
static const char *machine_advice(int r) {
        switch (r) {
        case -EHOSTDOWN:
        case -ENXIO:
                return "systemd-machined knows of none: machinectl list shows those that there are; a "
                       "container is one of them if systemd-machined ran when it was started";
        case -EACCES:
        case -EPERM:
                return "it takes root's rights to go into a machine";
        default:
                return "it takes a system bus inside, and berth; machinectl list shows the machines";
        }
}

/* There is no connection, and so nothing of the service's to be said. */
static int unreachable(int r) {
        const char *there = settings.host ?: settings.machine, *message = berth_error_message(NULL);
        int status = advice_status(berth_error_name(NULL));
        _cleanup_free_ char *shown = there ? string_escape_unprintable(there) : NULL, *ssh = settings_ssh();

        fprintf(stderr, "berthctl: cannot reach the service%s%s: %s\n", there ? " of " : "", shown ?: "",
                *message ? message : strerror(-r));
        if (status == STATUS_USAGE)
                return status;
        if (settings.host)
                fprintf(stderr,
                        "see whether the host can be reached and has systemd: %s systemd-stdio-bridge "
                        "--version\n",
                        ssh ?: "ssh");
        else if (settings.machine)
                fprintf(stderr, "%s\n", machine_advice(r));
        else
                fputs("see whether there is a system bus: systemctl status dbus.socket\n", stderr);

        return r == -EACCES || r == -EPERM ? STATUS_NOT_PERMITTED : status;
}

int service_open(berth **ret_connection) {
        _cleanup_(berth_closep) berth *connection = NULL;
        int r;

        if (settings.host)
                r = berth_open_remote(settings.host, &connection);
        else if (settings.machine)
                r = berth_open_machine(settings.machine, &connection);
        else
                r = berth_open(&connection);
        if (r < 0)
                return unreachable(r);

        agent_open();
        (void) berth_set_interactive(connection, agent_is_wanted());

        *ret_connection = TAKE_PTR(connection);
        return STATUS_FINE;
}

static int list_names(berth *connection, char ***ret_names) {
        _cleanup_(strv_freep) char **names = NULL;
        berth_container **list;
        int r;

        r = berth_list(connection, &list);
        if (r < 0)
                return service_failed(connection, r, "list the containers", NULL);

        r = 0;
        for (berth_container **one = list; *one && r >= 0; one++)
                r = strv_append(&names, (*one)->name);
        (void) berth_list_free(list);
        if (r < 0)
                return report_errno(r, "cannot list the containers");

        *ret_names = TAKE_PTR(names);
        return STATUS_FINE;
}

int service_names(berth *connection, char *const *words, size_t n, char ***ret_names) {
        _cleanup_(strv_freep) char **existing = NULL;
        bool patterns = false;
        int status;

        for (size_t i = 0; i < n; i++)
                patterns = patterns || name_is_pattern(words[i]);
        if (patterns) {
                status = list_names(connection, &existing);
                if (status != STATUS_FINE)
                        return status;
        }

        return expand_names(words, n, existing, ret_names);
}

int service_check_words(berth_status *const *list, const Arguments *arguments) {
        int status = STATUS_FINE;

        for (size_t i = 0; i < arguments->n; i++) {
                _cleanup_free_ char *shown = NULL;
                bool pattern = name_is_pattern(arguments->words[i]), found = false;

                for (berth_status *const *one = list; *one && !found; one++)
                        found = names_have(arguments->words + i, 1, (*one)->name);
                if (found)
                        continue;
                if (!name_is_possible(arguments->words[i])) {
                        status = status_join(status, report_name(arguments->words[i]));
                        continue;
                }
                shown = string_escape_unprintable(arguments->words[i]);
                fprintf(stderr, "berthctl: %s%s%s\n",
                        pattern ? "no container's name fits the pattern \"" : "there is no container ",
                        shown ?: "?", pattern ? "\"" : "");
                status = status_join(status, STATUS_NO_CONTAINER);
        }

        return status;
}
