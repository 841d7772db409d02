/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A service of a few methods that do nothing but ask manager/bus/authorize.h, for check_authorize.py: org.berth.test on
 * the bus that $DBUS_SYSTEM_BUS_ADDRESS names.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "manager/bus/authorize.h"

typedef struct Service {
        Authorizer *authorizer;
        sd_event *event;
        uint32_t runs; /* of handlers up to the question, */
        uint32_t acts; /* and beyond it */
        uint32_t gone;
} Service;

static int ask(Service *service, sd_bus_message *call, const char *prefix, sd_bus_error *ret_error) {
        AuthorizeRequest request = { .action_own = "manage-own", .action = "manage" };
        _cleanup_free_ char *verb = NULL;
        const char *said;
        uint32_t owner;
        int r;

        service->runs++;
        r = sd_bus_message_read(call, "ssu", &request.container, &said, &owner);
        if (r < 0)
                return r;
        verb = string_printf("%s%s", prefix, said);
        if (!verb)
                return -ENOMEM;
        request.verb = verb;
        request.owner = owner;

        r = authorize(service->authorizer, call, &request, ret_error);
        if (r <= 0)
                return r < 0 ? r : 1;
        service->acts++;

        return sd_bus_reply_method_return(call, NULL);
}

static int method_ask(sd_bus_message *call, void *userdata, sd_bus_error *ret_error) {
        return ask(userdata, call, "", ret_error);
}

/* What is asked for is another thing each time. */
static int method_ask_changing(sd_bus_message *call, void *userdata, sd_bus_error *ret_error) {
        Service *service = userdata;

        return ask(service, call, service->runs % 2 == 0 ? "not-" : "", ret_error);
}

static int method_uid(sd_bus_message *call, void *userdata, sd_bus_error *ret_error) {
        Service *service = userdata;
        uid_t uid;
        int r;

        r = sender_uid(service->authorizer, call, &uid, ret_error);
        if (r <= 0)
                return r < 0 ? r : 1;

        return sd_bus_reply_method_return(call, "u", (uint32_t) uid);
}

/* Until the file is there: what comes meanwhile is queued, in the order in which it comes. */
static int method_block(sd_bus_message *call, void *userdata, sd_bus_error *ret_error) {
        const char *file;
        int r;

        r = sd_bus_message_read(call, "s", &file);
        if (r < 0)
                return r;
        while (access(file, F_OK) < 0)
                (void) usleep(1000);
        r = sd_bus_call_method(sd_bus_message_get_bus(call), "org.freedesktop.DBus", "/org/freedesktop/DBus",
                               "org.freedesktop.DBus", "GetId", ret_error, NULL, NULL);
        if (r < 0)
                return r;

        return sd_bus_reply_method_return(call, NULL);
}

static int method_state(sd_bus_message *call, void *userdata, sd_bus_error *ret_error) {
        const Service *service = userdata;

        return sd_bus_reply_method_return(call, "uuuu", (uint32_t) authorizer_callers(service->authorizer),
                                          service->gone, service->runs, service->acts);
}

static int method_quit(sd_bus_message *call, void *userdata, sd_bus_error *ret_error) {
        const Service *service = userdata;
        int r;

        r = sd_event_exit(service->event, 0);
        if (r < 0)
                return r;

        return sd_bus_reply_method_return(call, NULL);
}

static int property_reader(sd_bus *bus, const char *path, const char *interface, const char *property,
                           sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        const Service *service = userdata;
        uid_t uid = (uid_t) -1;

        if (sender_uid_known(service->authorizer, sd_bus_get_current_message(bus), &uid) < 0)
                return sd_bus_error_set(ret_error, SD_BUS_ERROR_ACCESS_DENIED, "unknown");

        return sd_bus_message_append(reply, "u", (uint32_t) uid);
}

static void on_gone(const char *unique_name, void *userdata) {
        Service *service = userdata;

        service->gone++;
}

/* clang-format off */
static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Ask", "ssu", NULL, method_ask, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("AskChanging", "ssu", NULL, method_ask_changing, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Uid", NULL, "u", method_uid, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Block", "s", NULL, method_block, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("State", NULL, "uuuu", method_state, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Quit", NULL, NULL, method_quit, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Reader", "u", property_reader, 0, SD_BUS_VTABLE_PROPERTY_EXPLICIT),
        SD_BUS_VTABLE_END
};
/* clang-format on */

static int run(void) {
        Service service = {};
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(authorizer_freep) Authorizer *authorizer = NULL;
        int r;

        r = sd_event_new(&event);
        if (r < 0)
                return r;
        r = sd_bus_open_system(&bus);
        if (r < 0)
                return r;
        r = sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return r;
        r = authorizer_new(bus, &authorizer);
        if (r < 0)
                return r;

        service.authorizer = authorizer;
        service.event = event;
        authorizer_on_gone(authorizer, on_gone, &service);
        r = sd_bus_add_object_vtable(bus, NULL, "/test", "org.berth.test", vtable, &service);
        if (r < 0)
                return r;
        r = sd_bus_request_name(bus, "org.berth.test", 0);
        if (r < 0)
                return r;

        return sd_event_loop(event);
}

int main(void) {
        int r = run();

        if (r < 0)
                fprintf(stderr, "authorize-service: %s\n", strerror(-r));

        return r < 0;
}
