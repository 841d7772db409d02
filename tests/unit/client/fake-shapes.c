/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-shapes.h"

#include <unistd.h>

#define CONTAINER "org.berth.container1.Container"
#define NESTED 20

/* A variant in a variant in a variant. */
static int reply_nested(sd_bus *bus, sd_bus_message *m) {
        sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        for (unsigned depth = 0; r >= 0 && depth < NESTED; depth++)
                r = sd_bus_message_open_container(reply, 'v', depth == NESTED - 1 ? "i" : "v");
        if (r >= 0)
                r = sd_bus_message_append(reply, "i", 5);
        for (unsigned depth = 0; r >= 0 && depth < NESTED; depth++)
                r = sd_bus_message_close_container(reply);
        if (r >= 0)
                r = sd_bus_send(bus, reply, NULL);
        sd_bus_message_unref(reply);

        return r;
}

int reply_shape(sd_bus *bus, sd_bus_message *m, int shape) {
        switch (shape) {
        case 0:
                return sd_bus_reply_method_return(m, NULL);
        case 1:
                return sd_bus_reply_method_return(m, "s", "");
        case 2:
                return sd_bus_reply_method_return(m, "u", 7);
        case 3:
                return sd_bus_reply_method_return(m, "v", "i", 3);
        case 4:
                return sd_bus_reply_method_return(m, "v", "a(sv)", 1, "x", "s", "y");
        case 5:
                return sd_bus_reply_method_return(m, "a(ssuso)", 1, "", "", 0, "", "/");
        case 6:
                return sd_bus_reply_method_return(
                                m, "a{sv}", 2, "Pressure", "a(sdddt)", 1, "cpu", 1.0, 1.0, 1.0, UINT64_C(1),
                                "Pressure", "a(sdddt)", 1, "cpu", 1.0, 1.0, 1.0, UINT64_C(1));
        case 7:
                return sd_bus_reply_method_return(
                                m, "a{oa{sa{sv}}}", 1, "/x", 1, CONTAINER, 1, "State", "s", "x");
        case 8:
                return sd_bus_reply_method_return(m, "o", "/org/berth/container1/container/_2e_2e");
        case 9:
                return sd_bus_reply_method_return(m, "h", STDERR_FILENO);
        case 10:
                return reply_nested(bus, m);
        case 11:
                return sd_bus_reply_method_return(m, "o", "/org/berth/container1/user/_30/web");
        default:
                return sd_bus_reply_method_errorf(m, "org.example.Nothing", "%s", "");
        }
}
