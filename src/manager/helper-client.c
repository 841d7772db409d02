/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/helper-client.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/macro.h"
#include "spec/helper-interface.h"

#define KEEP_USEC (UINT64_C(5) * 1000 * 1000)

struct HelperClient {
        sd_event *event;
        sd_bus *bus;
        unsigned waiting;
        sd_event_source *timer;
};

static void helper_client_disconnect(HelperClient *client) {
        client->bus = sd_bus_close_unref(client->bus);
}

HelperClient *helper_client_free(HelperClient *client) {
        if (!client)
                return NULL;

        helper_client_disconnect(client);
        sd_event_source_disable_unref(client->timer);
        sd_event_unref(client->event);
        free(client);
        return NULL;
}

static int on_unused(sd_event_source *source, uint64_t usec, void *userdata) {
        HelperClient *client = userdata;

        if (client->waiting == 0)
                helper_client_disconnect(client);
        return 0;
}

int helper_client_new(sd_event *event, HelperClient **ret) {
        _cleanup_(helper_client_freep) HelperClient *client = NULL;
        int r;

        client = calloc(1, sizeof *client);
        if (!client)
                return -ENOMEM;
        client->event = sd_event_ref(event);

        r = sd_event_add_time_relative(
                        event, &client->timer, CLOCK_MONOTONIC, KEEP_USEC, 0, on_unused, client);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(client);
        return 0;
}

static int helper_client_connect(HelperClient *client) {
        _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
        int r;

        if (client->bus && sd_bus_is_open(client->bus) > 0)
                return 0;

        /* Of a connection that broke only the reference is given up: what waits on it gets its error from
         * sd-bus. */
        client->bus = sd_bus_unref(client->bus);

        r = sd_bus_new(&bus);
        if (r < 0)
                return r;
        r = sd_bus_set_address(bus, "unix:path=" HELPER_SOCKET);
        if (r < 0)
                return r;
        r = sd_bus_negotiate_fds(bus, true);
        if (r < 0)
                return r;
        r = sd_bus_start(bus);
        if (r < 0)
                return r;
        r = sd_bus_attach_event(bus, client->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return r;

        client->bus = TAKE_PTR(bus);
        return 0;
}

int helper_call_new(HelperClient *client, const char *method, sd_bus_message **ret) {
        int r;

        r = helper_client_connect(client);
        if (r < 0)
                return r;

        return sd_bus_message_new_method_call(client->bus, ret, NULL, HELPER_PATH, HELPER_INTERFACE, method);
}

int helper_call_send(
                HelperClient *client,
                sd_bus_message *call,
                uint64_t timeout_usec,
                sd_bus_message_handler_t handler,
                void *userdata,
                sd_bus_slot **ret_slot) {
        int r;

        r = sd_bus_call_async(client->bus, ret_slot, call, handler, userdata, timeout_usec);
        if (r < 0)
                return r;

        client->waiting++;
        return 0;
}

void helper_call_done(HelperClient *client) {
        if (--client->waiting > 0)
                return;

        (void) sd_event_source_set_time_relative(client->timer, KEEP_USEC);
        (void) sd_event_source_set_enabled(client->timer, SD_EVENT_ONESHOT);
}
