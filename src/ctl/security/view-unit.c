/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What systemd says of the unit, see view.h: it shows everybody.
 */
#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#include "basic/array.h"
#include "basic/string.h"
#include "ctl/security/view.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define UNITS "/org/freedesktop/systemd1/unit"

static int read_devices(sd_bus_message *message, UnitView *unit) {
        int r;

        r = sd_bus_message_enter_container(message, 'v', "a(ss)");
        if (r >= 0)
                r = sd_bus_message_enter_container(message, 'a', "(ss)");
        while (r >= 0) {
                const char *node, *access;
                DeviceRule rule;

                r = sd_bus_message_read(message, "(ss)", &node, &access);
                if (r <= 0)
                        break;
                rule = (DeviceRule){ strdup(node), strdup(access) };
                r = rule.node && rule.access ? ARRAY_APPEND(unit->devices, unit->n_devices, rule) : -ENOMEM;
                if (r < 0) {
                        free(rule.node);
                        free(rule.access);
                }
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(message);

        return r >= 0 ? sd_bus_message_exit_container(message) : r;
}

static int read_property(sd_bus_message *message, const char *name, UnitView *unit) {
        const char *text;
        char **field;
        int r;

        if (streq(name, "DeviceAllow"))
                return read_devices(message, unit);
        if (streq(name, "Delegate"))
                return sd_bus_message_read(message, "v", "b", &unit->delegate);
        if (streq(name, "TasksMax"))
                return sd_bus_message_read(message, "v", "t", &unit->tasks_max);
        if (streq(name, "MemoryMax"))
                return sd_bus_message_read(message, "v", "t", &unit->memory_max);
        if (streq(name, "DevicePolicy"))
                field = &unit->device_policy;
        else if (streq(name, "ControlGroup"))
                field = &unit->control_group;
        else
                return sd_bus_message_skip(message, "v");

        r = sd_bus_message_read(message, "v", "s", &text);
        return r < 0 ? r : string_set(field, text);
}

static int read_properties(sd_bus_message *message, UnitView *unit) {
        int r;

        r = sd_bus_message_enter_container(message, 'a', "{sv}");
        while (r >= 0) {
                const char *name;

                r = sd_bus_message_enter_container(message, 'e', "sv");
                if (r <= 0)
                        return r;
                r = sd_bus_message_read(message, "s", &name);
                if (r >= 0)
                        r = read_property(message, name, unit);
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
        }

        return r;
}

int view_read_unit(const char *unit, UnitView *ret) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        r = sd_bus_path_encode(UNITS, unit, &path);
        if (r < 0)
                return r;
        r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = sd_bus_call_method(
                                bus, SYSTEMD, path, "org.freedesktop.DBus.Properties", "GetAll", NULL,
                                &reply, "s", SYSTEMD ".Service");
        if (r >= 0)
                r = read_properties(reply, ret);
        if (r == -ENOMEM)
                return r;
        ret->seen = r >= 0;

        return 0;
}
