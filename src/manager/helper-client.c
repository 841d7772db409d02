/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/helper-client.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/macro.h"
#include "spec/helper-interface.h"

#define KEEP_USEC (UINT64_C(5) * 1000 * 1000)
#define SHORT_USEC                                                                                          \
        (HELPER_SYSTEMD_USEC + UINT64_C(30) * 1000000) /* the helper gives up on systemd before             \
                                                        */

struct HelperCall {
        HelperClient *client;
        HelperCall *next; /* in the queue */
        HelperWork work;
        bool sent;
        sd_bus_message *message;
        sd_bus_slot *slot;
        sd_event_source *silence;
        HelperAnswer answer;
        void *userdata;
};

struct HelperClient {
        sd_event *event;
        sd_bus *bus;
        HelperCall *queues[_HELPER_WORK_N];
        unsigned n_sent[_HELPER_WORK_N];
        sd_event_source *timer;
        uint64_t silence_usec;
};

static const unsigned at_a_time[_HELPER_WORK_N] = {
        [HELPER_SHORT] = HELPER_REQUESTS_MAX / 2,
        [HELPER_LONG] = HELPER_REQUESTS_MAX / 4,
};

HelperClient *helper_client_free(HelperClient *client) {
        if (!client)
                return NULL;

        sd_bus_close_unref(client->bus);
        sd_event_source_disable_unref(client->timer);
        sd_event_unref(client->event);
        free(client);
        return NULL;
}

static bool helper_client_is_used(const HelperClient *client) {
        for (HelperWork work = 0; work < _HELPER_WORK_N; work++)
                if (client->n_sent[work] > 0 || client->queues[work])
                        return true;

        return false;
}

static int on_unused(sd_event_source *source, uint64_t usec, void *userdata) {
        HelperClient *client = userdata;

        if (!helper_client_is_used(client))
                client->bus = sd_bus_close_unref(client->bus);
        return 0;
}

int helper_client_new(sd_event *event, uint64_t silence_usec, HelperClient **ret) {
        _cleanup_(helper_client_freep) HelperClient *client = NULL;
        int r;

        client = calloc(1, sizeof *client);
        if (!client)
                return -ENOMEM;
        client->event = sd_event_ref(event);
        client->silence_usec = silence_usec;

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

int helper_message_new(HelperClient *client, const char *method, sd_bus_message **ret) {
        int r;

        r = helper_client_connect(client);
        if (r < 0)
                return r;

        return sd_bus_message_new_method_call(client->bus, ret, NULL, HELPER_PATH, HELPER_INTERFACE, method);
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        HelperCall *call = userdata;

        call->answer(reply, call->userdata);
        return 0;
}

/* What the helper does later, its answer too, is no longer this call's. */
static int on_silence(sd_event_source *source, uint64_t usec, void *userdata) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        HelperCall *call = userdata;

        (void) sd_bus_message_new_method_errorf(
                        call->message, &reply, SD_BUS_ERROR_NO_REPLY, "it has said nothing for %u minutes",
                        (unsigned) (call->client->silence_usec / (UINT64_C(60) * 1000000)));
        call->answer(reply, call->userdata);
        return 0;
}

static int helper_call_limit_silence(HelperCall *call) {
        int r;

        r = sd_event_add_time_relative(
                        call->client->event, &call->silence, CLOCK_MONOTONIC, call->client->silence_usec, 0, on_silence,
                        call);
        if (r < 0)
                return r;

        /* After all that can be read by then. */
        return sd_event_source_set_priority(call->silence, SD_EVENT_PRIORITY_IDLE);
}

static int helper_call_send(HelperCall *call) {
        uint64_t limit = call->work == HELPER_LONG ? UINT64_MAX : SHORT_USEC;
        int r;

        r = call->work == HELPER_LONG ? helper_call_limit_silence(call) : 0;
        if (r < 0)
                return r;
        /* The connection is the message's own: if it broke in the meantime, that is the answer. */
        r = sd_bus_call_async(
                        sd_bus_message_get_bus(call->message), &call->slot, call->message, on_answer, call,
                        limit);
        if (r < 0)
                return r;

        call->sent = true;
        call->client->n_sent[call->work]++;
        return 0;
}

/* Sends what waits, as far as there is room. */
static void helper_client_advance(HelperClient *client, HelperWork work) {
        while (client->queues[work] && client->n_sent[work] < at_a_time[work]) {
                HelperCall *call = client->queues[work];

                client->queues[work] = TAKE_PTR(call->next);
                if (helper_call_send(call) < 0)
                        call->answer(NULL, call->userdata);
        }
}

int helper_call_new(
                HelperClient *client,
                sd_bus_message *message,
                HelperWork work,
                HelperAnswer answer,
                void *userdata,
                HelperCall **ret) {
        HelperCall *call, **last = &client->queues[work];
        int r;

        call = calloc(1, sizeof *call);
        if (!call)
                return -ENOMEM;
        *call = (HelperCall){
                .client = client,
                .work = work,
                .message = sd_bus_message_ref(message),
                .answer = answer,
                .userdata = userdata,
        };

        if (!client->queues[work] && client->n_sent[work] < at_a_time[work]) {
                r = helper_call_send(call);
                if (r < 0) {
                        helper_call_free(call);
                        return r;
                }
        } else {
                while (*last)
                        last = &(*last)->next;
                *last = call;
        }

        *ret = call;
        return 0;
}

void helper_call_heard(HelperCall *call) {
        if (call && call->silence)
                (void) sd_event_source_set_time_relative(call->silence, call->client->silence_usec);
}

HelperCall *helper_call_free(HelperCall *call) {
        HelperClient *client;
        HelperWork work;

        if (!call)
                return NULL;

        client = call->client;
        work = call->work;
        for (HelperCall **at = &client->queues[work]; *at; at = &(*at)->next)
                if (*at == call) {
                        *at = call->next;
                        break;
                }
        if (call->sent)
                client->n_sent[work]--;
        sd_bus_slot_unref(call->slot);
        sd_event_source_disable_unref(call->silence);
        sd_bus_message_unref(call->message);
        free(call);

        helper_client_advance(client, work);
        if (!helper_client_is_used(client)) {
                (void) sd_event_source_set_time_relative(client->timer, KEEP_USEC);
                (void) sd_event_source_set_enabled(client->timer, SD_EVENT_ONESHOT);
        }
        return NULL;
}
