/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-host.h"

#include "basic/string.h"

int on_reload(sd_bus_message *m) {
        return sd_bus_reply_method_return(m, NULL);
}

int on_manager_property(sd_bus_message *m) {
        const char *interface, *name;
        int r = sd_bus_message_read(m, "ss", &interface, &name);

        if (r < 0)
                return r;
        if (streq(name, "Version"))
                return sd_bus_reply_method_return(m, "v", "s", "9.8.7");
        if (streq(name, "Features"))
                return sd_bus_reply_method_return(m, "v", "as", 2, "first", "second");
        if (streq(name, "HostCapabilities"))
                return sd_bus_reply_method_return(
                                m, "v", "a{sv}", 3, "pidfd", "b", 1, "apparmor", "s",
                                "the kernel was built \033[2Jwithout it", "later", "u", 5);

        return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_UNKNOWN_PROPERTY, "Unknown property %s", name);
}

/* systemd's, for units that start with the host. */
int on_unit_files(sd_bus_message *m) {
        static bool enabled;
        bool on = streq(sd_bus_message_get_member(m), "EnableUnitFiles"), same = enabled == on;

        enabled = on;
        if (on && same)
                return sd_bus_reply_method_return(m, "ba(sss)", 1, 0);
        if (on)
                return sd_bus_reply_method_return(m, "ba(sss)", 1, 1, "symlink", "a", "b");

        return same ? sd_bus_reply_method_return(m, "a(sss)", 0)
                    : sd_bus_reply_method_return(m, "a(sss)", 1, "unlink", "a", "");
}
