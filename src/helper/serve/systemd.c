/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/serve/systemd.h"

#include <errno.h>
#include <stdbool.h>

#include "basic/macro.h"

#define PRIVATE_ADDRESS "unix:path=/run/systemd/private"

/* Calls that wait have been told by sd-bus when this comes. */
static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        Systemd *systemd = userdata;

        if (sd_bus_message_get_bus(message) == systemd->bus)
                systemd_disconnect(systemd);

        return 0;
}

static int systemd_connect(Systemd *systemd) {
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        int r;

        if (systemd->bus && sd_bus_is_open(systemd->bus) > 0)
                return 0;
        systemd_disconnect(systemd);

        r = sd_bus_new(&bus);
        if (r < 0)
                return r;
        r = sd_bus_set_address(bus, PRIVATE_ADDRESS);
        if (r < 0)
                return r;
        r = sd_bus_negotiate_fds(bus, true);
        if (r < 0)
                return r;
        r = sd_bus_start(bus);
        if (r < 0)
                return r;
        r = sd_bus_match_signal_async(
                        bus, NULL, "org.freedesktop.DBus.Local", NULL, "org.freedesktop.DBus.Local",
                        "Disconnected", on_disconnected, NULL, systemd);
        if (r < 0)
                return r;
        r = sd_bus_attach_event(bus, systemd->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return r;

        systemd->bus = TAKE_PTR(bus);
        return 0;
}

int systemd_new_call(
                Systemd *systemd,
                const char *path,
                const char *interface,
                const char *member,
                sd_bus_message **ret) {
        int r;

        r = systemd_connect(systemd);
        if (r < 0)
                return r;

        return sd_bus_message_new_method_call(systemd->bus, ret, NULL, path, interface, member);
}

int systemd_send(
                Systemd *systemd,
                sd_bus_message *call,
                uint64_t timeout_usec,
                sd_bus_message_handler_t answer,
                void *userdata,
                sd_bus_slot **ret) {
        return sd_bus_call_async(sd_bus_message_get_bus(call), ret, call, answer, userdata, timeout_usec);
}

void systemd_disconnect(Systemd *systemd) {
        systemd->bus = sd_bus_close_unref(systemd->bus);
}
