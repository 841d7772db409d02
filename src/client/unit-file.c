/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Containers that start with the host: systemd is asked, with the caller's rights, to enable their units.
 */
#include <stdlib.h>

#include "client/container.h"
#include "client/error.h"
#include "client/service.h"

#define SYSTEMD_NAME "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"

static int systemd_method(berth *connection, const char *member, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = sd_bus_message_new_method_call(
                        connection->bus, &message, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, member);
        if (r >= 0)
                r = sd_bus_message_set_allow_interactive_authorization(message, connection->interactive);
        if (r < 0)
                return error_set_errno(r, "make a call to systemd");

        *ret = TAKE_PTR(message);

        return 0;
}

/* The unit of a container, which is asked for: it may be a transient one. */
static int unit_of(berth *connection, const char *name, char **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_free_ char *path = NULL;
        const char *unit;
        int r;

        r = container_path(name, &path);
        if (r < 0)
                return r;
        r = container_missing(
                        connection, name,
                        service_get(connection, path, SERVICE_CONTAINER, "Unit", "s", &reply));
        if (r < 0)
                return r;
        r = sd_bus_message_read(reply, "s", &unit);
        if (r <= 0)
                return error_reply(r, "Unit");
        *ret = strdup(unit);

        return *ret ? 0 : error_reply(-ENOMEM, "Unit");
}

/* Whether the a(sss) of changes, which systemd made, has any. */
static int any_change(sd_bus_message *reply) {
        int r = sd_bus_message_enter_container(reply, 'a', "(sss)");

        if (r >= 0)
                r = sd_bus_message_at_end(reply, false);

        return r < 0 ? r : r == 0;
}

static int enable(berth *connection, const char *name, bool on) {
        const char *member = on ? "EnableUnitFiles" : "DisableUnitFiles";
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reload = NULL, *reply = NULL;
        _cleanup_free_ char *unit = NULL;
        int r, changed;

        r = unit_of(connection, name, &unit);
        if (r >= 0)
                r = systemd_method(connection, member, &message);
        if (r < 0)
                return r;
        r = sd_bus_message_append(message, "asb", 1, unit, /* runtime= */ 0);
        if (r >= 0 && on)
                r = sd_bus_message_append(message, "b", /* force= */ 0);
        if (r < 0)
                return error_set_errno(r, "make a call to systemd");
        r = connection_call(connection, message, &reply);
        if (r < 0)
                return r;

        changed = on ? sd_bus_message_skip(reply, "b") : 0;
        if (changed >= 0)
                changed = any_change(reply);
        if (changed < 0)
                return error_reply(changed, member);
        if (changed == 0)
                return 0;

        r = systemd_method(connection, "Reload", &reload);
        if (r >= 0)
                r = connection_call(connection, reload, NULL);

        return r < 0 ? r : 1;
}

int berth_enable(berth *connection, const char *name) {
        int r = connection_enter(connection);

        if (r < 0)
                return r;

        return connection_leave(connection, enable(connection, name, true));
}

int berth_disable(berth *connection, const char *name) {
        int r = connection_enter(connection);

        if (r < 0)
                return r;

        return connection_leave(connection, enable(connection, name, false));
}
