/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/bus/callers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "basic/array.h"
#include "basic/cleanup.h"
#include "basic/string.h"
#include "spec/limits.h"

struct Caller {
        Callers *callers;
        char *name;
        bool known;
        uid_t uid;
        sd_bus_slot *asking; /* the bus is asked for the uid */
        HeldCall *held;      /* in the order in which they came */
        size_t n_held;
};

struct Callers {
        sd_bus *bus;
        Caller **list; /* sorted by name */
        size_t n;
        size_t n_held;
        HeldCall *running;         /* at most one: until the next message or event */
        HeldCall *orphans;         /* queued, and their caller has left */
        sd_event_source *sweeping; /* frees what has run */
        sd_bus_slot *filter, *leaving;
        void (*gone)(const char *unique_name, void *userdata);
        void *gone_userdata;
};

static void held_free(HeldCall *held) {
        if (held->attached)
                held->attached_free(held->attached);
        sd_bus_message_unref(held->message);
        free(held);
}

static void held_unlink(HeldCall **list, HeldCall *held) {
        while (*list != held)
                list = &(*list)->next;
        *list = held->next;
        held->next = NULL;
}

static void held_forget(Callers *callers, HeldCall *held) {
        held_unlink(&held->caller->held, held);
        held->caller->n_held--;
        callers->n_held--;
        if (callers->running == held)
                callers->running = NULL;
        held_free(held);
}

/* The handler of the call that was run again has returned. */
static void running_end(Callers *callers) {
        HeldCall *held = TAKE_PTR(callers->running);

        if (held && held->state == HELD_RUNNING)
                held_forget(callers, held);
}

static int on_sweep(sd_event_source *source, void *userdata) {
        running_end(userdata);

        return 0;
}

/* Where NAME is in the list, or where it would have to be. */
static size_t caller_position(const Callers *callers, const char *name, bool *ret_found) {
        size_t low = 0, high = callers->n;

        *ret_found = false;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = strcmp(name, callers->list[middle]->name);

                if (order == 0) {
                        *ret_found = true;
                        return middle;
                }
                if (order < 0)
                        high = middle;
                else
                        low = middle + 1;
        }

        return low;
}

static Caller *caller_of(const Callers *callers, sd_bus_message *call) {
        const char *sender = sd_bus_message_get_sender(call);
        bool found = false;
        size_t position = sender ? caller_position(callers, sender, &found) : 0;

        return found ? callers->list[position] : NULL;
}

static Caller *caller_free(Caller *caller) {
        if (!caller)
                return NULL;

        sd_bus_slot_unref(caller->asking);
        free(caller->name);
        free(caller);

        return NULL;
}
DEFINE_CLEANUP(Caller *, caller_free)

static int caller_add(Callers *callers, const char *name) {
        _cleanup_(caller_freep) Caller *caller = NULL;
        bool found;
        size_t position = caller_position(callers, name, &found);
        int r;

        if (found)
                return 0;
        if (callers->n >= CALLERS_MAX)
                return -ENOBUFS;

        caller = calloc(1, sizeof *caller);
        if (!caller)
                return -ENOMEM;
        caller->callers = callers;
        caller->name = strdup(name);
        if (!caller->name)
                return -ENOMEM;

        r = array_reserve(&callers->list, callers->n, sizeof(callers->list[0]));
        if (r < 0)
                return r;
        memmove(callers->list + position + 1, callers->list + position,
                (callers->n - position) * sizeof(callers->list[0]));
        callers->list[position] = TAKE_PTR(caller);
        callers->n++;

        return 0;
}

/* Calls that wait end with their caller. One that is queued cannot be taken out of the queue: it is remembered, so that
 * it is thrown away when it comes. */
static void caller_leaves(Callers *callers, Caller *caller) {
        while (caller->held) {
                HeldCall *held = caller->held;

                if (held->state != HELD_QUEUED) {
                        held_forget(callers, held);
                        continue;
                }

                held_unlink(&caller->held, held);
                held->caller = NULL;
                held->next = callers->orphans;
                callers->orphans = held;
        }

        caller_free(caller);
}

static int on_leaving(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        Callers *callers = userdata;
        const char *name;
        bool found;
        size_t position;

        if (sd_bus_message_read(message, "s", &name) < 0)
                return 0;
        position = caller_position(callers, name, &found);
        if (!found)
                return 0;

        caller_leaves(callers, callers->list[position]);
        array_remove(&callers->list, &callers->n, sizeof(callers->list[0]), position);
        if (callers->gone)
                callers->gone(name, callers->gone_userdata);

        return 0;
}

/* Throws away a queued call whose caller has left. */
static bool orphan_ends(Callers *callers, sd_bus_message *message) {
        for (HeldCall **i = &callers->orphans; *i; i = &(*i)->next)
                if ((*i)->message == message) {
                        HeldCall *held = *i;

                        *i = held->next;
                        callers->n_held--;
                        held_free(held);
                        return true;
                }

        return false;
}

/* Sees every message before its handler. */
static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        Callers *callers = userdata;
        const char *sender = sd_bus_message_get_sender(message);
        HeldCall *held;
        uid_t uid;
        int r;

        running_end(callers);
        if (!sender || !sd_bus_message_is_method_call(message, NULL, NULL))
                return 0;
        if (orphan_ends(callers, message))
                return 1;

        r = caller_add(callers, sender);
        if (r < 0)
                return sd_bus_error_set(ret_error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                        "Too many programs use the service at this moment");

        held = callers_find_held(callers, message);
        if (held) {
                held->state = HELD_RUNNING;
                callers->running = held;
                return sd_event_source_set_enabled(callers->sweeping, SD_EVENT_ONESHOT);
        }

        if (!sd_bus_message_is_method_call(message, "org.freedesktop.DBus.Properties", "Get"))
                return 0;
        r = callers_uid(callers, message, &uid, ret_error);
        if (r < 0)
                return r;

        return r == 0;
}

static int callers_init(Callers *callers, sd_bus *bus) {
        sd_event *event = sd_bus_get_event(bus);
        int r;

        if (!event)
                return -EINVAL;

        r = sd_event_add_defer(event, &callers->sweeping, on_sweep, callers);
        if (r < 0)
                return r;
        r = sd_event_source_set_priority(callers->sweeping, SD_EVENT_PRIORITY_IMPORTANT);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(callers->sweeping, SD_EVENT_OFF);
        if (r < 0)
                return r;

        r = sd_bus_add_filter(bus, &callers->filter, on_message, callers);
        if (r < 0)
                return r;

        /* One rule for all: how many there can be is limited, and a rule for each caller could be used up by callers.
         * Should the bus refuse it, sd-bus ends the connection. */
        return sd_bus_add_match_async(bus, &callers->leaving,
                                      "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                                      "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg2=''",
                                      on_leaving, NULL, callers);
}

DEFINE_CLEANUP(Callers *, callers_free)

int callers_new(sd_bus *bus, Callers **ret) {
        _cleanup_(callers_freep) Callers *callers = calloc(1, sizeof *callers);
        int r;

        if (!callers)
                return -ENOMEM;

        callers->bus = sd_bus_ref(bus);
        r = callers_init(callers, bus);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(callers);

        return 0;
}

Callers *callers_free(Callers *callers) {
        if (!callers)
                return NULL;

        for (size_t i = 0; i < callers->n; i++)
                caller_leaves(callers, callers->list[i]);
        free(callers->list);
        while (callers->orphans) {
                HeldCall *held = callers->orphans;

                callers->orphans = held->next;
                held_free(held);
        }
        sd_bus_slot_unref(callers->filter);
        sd_bus_slot_unref(callers->leaving);
        sd_event_source_disable_unref(callers->sweeping);
        sd_bus_unref(callers->bus);
        free(callers);

        return NULL;
}

size_t callers_count(const Callers *callers) {
        return callers->n;
}

void callers_on_gone(Callers *callers, void (*gone)(const char *unique_name, void *userdata), void *userdata) {
        callers->gone = gone;
        callers->gone_userdata = userdata;
}

HeldCall *callers_find_held(const Callers *callers, sd_bus_message *call) {
        const Caller *caller = caller_of(callers, call);

        for (HeldCall *held = caller ? caller->held : NULL; held; held = held->next)
                if (held->message == call)
                        return held;

        return NULL;
}

int callers_hold(Callers *callers, sd_bus_message *call, HeldCall **ret, sd_bus_error *ret_error) {
        Caller *caller = caller_of(callers, call);
        HeldCall *held = callers_find_held(callers, call);
        HeldCall **end;

        if (held) {
                held->state = HELD_WAITING;
                *ret = held;
                return 0;
        }
        if (!caller)
                return sd_bus_error_set(ret_error, SD_BUS_ERROR_ACCESS_DENIED, "The caller is not known to the bus");
        if (caller->n_held >= CALLS_HELD_EACH_MAX || callers->n_held >= CALLS_HELD_MAX)
                return sd_bus_error_set(ret_error, SD_BUS_ERROR_LIMITS_EXCEEDED, "Too many calls wait for an answer");

        held = calloc(1, sizeof *held);
        if (!held)
                return -ENOMEM;
        held->message = sd_bus_message_ref(call);
        held->caller = caller;
        held->state = HELD_WAITING;
        for (end = &caller->held; *end; end = &(*end)->next)
                ;
        *end = held;
        caller->n_held++;
        callers->n_held++;
        *ret = held;

        return 0;
}

void held_call_resume(Callers *callers, HeldCall *held) {
        int r;

        r = sd_bus_message_rewind(held->message, true);
        if (r >= 0)
                r = sd_bus_enqueue_for_read(callers->bus, held->message);
        if (r < 0) {
                (void) sd_bus_reply_method_errnof(held->message, r, "The call could not be taken up again: %m");
                held_forget(callers, held);
                return;
        }

        held->state = HELD_QUEUED;
}

/* The bus has told the uid, or has not: then nobody knows who calls, and nothing is done. */
static int on_uid(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        Caller *caller = userdata;
        HeldCall *next;
        uint32_t uid;

        caller->asking = sd_bus_slot_unref(caller->asking);
        if (!sd_bus_message_is_method_error(reply, NULL) && sd_bus_message_read(reply, "u", &uid) >= 0 &&
            uid != (uid_t) -1) {
                caller->known = true;
                caller->uid = uid;
        }

        for (HeldCall *held = caller->held; held; held = next) {
                next = held->next;
                if (held->state != HELD_WAITING || held->attached)
                        continue;
                if (caller->known) {
                        held_call_resume(caller->callers, held);
                        continue;
                }
                (void) sd_bus_reply_method_errorf(held->message, SD_BUS_ERROR_ACCESS_DENIED,
                                                  "The bus does not tell whose call it is");
                held_forget(caller->callers, held);
        }

        return 0;
}

int callers_uid(Callers *callers, sd_bus_message *call, uid_t *ret_uid, sd_bus_error *ret_error) {
        Caller *caller = caller_of(callers, call);
        HeldCall *held;
        int r;

        if (caller && caller->known) {
                *ret_uid = caller->uid;
                return 1;
        }

        r = callers_hold(callers, call, &held, ret_error);
        if (r < 0)
                return r;
        if (caller->asking)
                return 0;

        r = sd_bus_call_method_async(callers->bus, &caller->asking, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                     "org.freedesktop.DBus", "GetConnectionUnixUser", on_uid, caller, "s", caller->name);
        if (r < 0) {
                held_forget(callers, held);
                return r;
        }

        return 0;
}

int callers_uid_known(const Callers *callers, sd_bus_message *call, uid_t *ret_uid) {
        const Caller *caller = call ? caller_of(callers, call) : NULL;

        if (!caller || !caller->known)
                return -ENODATA;

        *ret_uid = caller->uid;

        return 0;
}
