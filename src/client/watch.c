/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "basic/array.h"
#include "basic/string.h"
#include "basic/strv.h"
#include "client/error.h"
#include "client/service.h"
#include "client/text.h"

#define DBUS_PROPERTIES "org.freedesktop.DBus.Properties"
#define DBUS_OBJECTS "org.freedesktop.DBus.ObjectManager"

berth_event *berth_event_free(berth_event *event) {
        if (!event)
                return NULL;

        free(event->name);
        free(event->state);
        strv_free(event->properties);
        free(event->message);
        free(event);

        return NULL;
}

/*
 * The queue
 */

static void queue_clear(berth *connection) {
        for (size_t i = connection->first_event; i < connection->n_events; i++)
                (void) berth_event_free(connection->events[i]);
        free(connection->events);
        connection->events = NULL;
        connection->n_events = connection->first_event = 0;
}

static berth_event *queue_pop(berth *connection) {
        berth_event *event;

        if (connection->first_event == connection->n_events)
                return NULL;

        event = connection->events[connection->first_event++];
        if (connection->first_event == connection->n_events) {
                eventfd_t value;

                queue_clear(connection);
                (void) eventfd_read(connection->event_fd, &value);
        }

        return event;
}

static berth_event *event_new(uint32_t kind, const char *name) {
        berth_event *event = calloc(1, sizeof *event);

        if (!event)
                return NULL;
        event->kind = kind;
        event->name = strdup(name);

        return event->name ? event : berth_event_free(event);
}

/* Moves what waits to the front, before the array grows for what is gone. */
static void queue_compact(berth *connection) {
        size_t waiting = connection->n_events - connection->first_event;

        if (connection->first_event < EVENTS_MAX)
                return;
        memmove(connection->events, connection->events + connection->first_event,
                waiting * sizeof *connection->events);
        connection->n_events = waiting;
        connection->first_event = 0;
}

/* Appends an event, which the queue owns from then on. One that is not there because memory ran out, or has
 * no room, makes the queue start anew with a RESET: what was lost is not known any more. */
static void queue_push(berth *connection, berth_event *event_take) {
        _cleanup_(berth_event_freep) berth_event *event = event_take;

        queue_compact(connection);
        if (event && connection->n_events - connection->first_event < EVENTS_MAX &&
            ARRAY_APPEND(connection->events, connection->n_events, event) >= 0) {
                event = NULL;
        } else {
                berth_event *reset = event_new(BERTH_EVENT_RESET, "");

                queue_clear(connection);
                if (reset && ARRAY_APPEND(connection->events, connection->n_events, reset) < 0)
                        (void) berth_event_free(reset);
        }
        (void) eventfd_write(connection->event_fd, 1);
}

void watch_handle(berth *connection) {
        berth_event *event;

        if (!connection->handler || connection->handling)
                return;

        connection->handling = true;
        while (connection->handler && (event = queue_pop(connection))) {
                berth_event_handler handler = connection->handler;
                void *userdata = connection->handler_userdata;

                (void) pthread_mutex_unlock(&connection->lock);
                handler(event, userdata);
                (void) berth_event_free(event);
                (void) pthread_mutex_lock(&connection->lock);
        }
        connection->handling = false;
}

/*
 * From signals to events
 */

/* Adds "NAME=value" for the next value of the message, and keeps the state. */
static int event_property(berth_event *event, const char *property, sd_bus_message *message) {
        _cleanup_free_ char *text = NULL;
        char *assignment;
        int r;

        r = value_text(message, &text);
        if (r < 0)
                return r;
        assignment = string_printf("%s=%s", property, text);
        r = strv_append_take(&event->properties, assignment);
        if (r < 0)
                return r;

        return streq(property, "State") ? string_set(&event->state, text) : 0;
}

/* Reads an a{sv}. */
static int event_properties(berth_event *event, sd_bus_message *message) {
        int r;

        r = sd_bus_message_enter_container(message, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                const char *property;

                r = sd_bus_message_read(message, "s", &property);
                if (r >= 0)
                        r = event_property(event, property, message);
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
        }
        if (r < 0)
                return r;

        return sd_bus_message_exit_container(message);
}

static int event_changed(berth_event *event, sd_bus_message *message) {
        const char *interface, *property;
        int r;

        r = sd_bus_message_read(message, "s", &interface);
        if (r >= 0)
                r = streq(interface, SERVICE_CONTAINER) ? event_properties(event, message) : -ENOMSG;
        if (r >= 0)
                r = sd_bus_message_enter_container(message, 'a', "s");
        while (r >= 0 && (r = sd_bus_message_read(message, "s", &property)) > 0)
                r = strv_append(&event->properties, property);

        return r < 0 ? r : 0;
}

static int event_added(berth_event *event, sd_bus_message *message) {
        bool container = false;
        int r;

        r = sd_bus_message_enter_container(message, 'a', "{sa{sv}}");
        while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sa{sv}")) > 0) {
                const char *interface;

                r = sd_bus_message_read(message, "s", &interface);
                if (r >= 0 && streq(interface, SERVICE_CONTAINER)) {
                        container = true;
                        r = event_properties(event, message);
                } else if (r >= 0)
                        r = sd_bus_message_skip(message, "a{sv}");
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
        }
        if (r < 0)
                return r;

        return container ? 0 : -ENOMSG;
}

static int event_removed(berth_event *event, sd_bus_message *message) {
        const char *interface;
        bool container = false;
        int r;

        r = sd_bus_message_enter_container(message, 'a', "s");
        while (r >= 0 && (r = sd_bus_message_read(message, "s", &interface)) > 0)
                container = container || streq(interface, SERVICE_CONTAINER);
        if (r < 0)
                return r;

        return container ? 0 : -ENOMSG;
}

static int event_progress(sd_bus_message *message, berth_event **ret) {
        _cleanup_(berth_event_freep) berth_event *event = NULL;
        const char *name, *text;
        uint64_t done, total;
        int r;

        r = sd_bus_message_read(message, "stts", &name, &done, &total, &text);
        if (r < 0)
                return r;
        if (!full_name_is_valid(name))
                return -EBADMSG;

        event = event_new(BERTH_EVENT_PROGRESS, name);
        if (!event || string_set(&event->message, text) < 0)
                return -ENOMEM;
        event->done = done;
        event->total = total;
        *ret = TAKE_PTR(event);

        return 0;
}

/* An event of a container's object, read by READ. */
static int
event_read(uint32_t kind,
           const char *path,
           sd_bus_message *message,
           int (*read)(berth_event *event, sd_bus_message *message),
           berth_event **ret) {
        _cleanup_(berth_event_freep) berth_event *event = NULL;
        _cleanup_free_ char *name = NULL;
        int r;

        r = name_of_path(path, &name);
        if (r < 0)
                return r;
        event = event_new(kind, name);
        if (!event)
                return -ENOMEM;
        r = read(event, message);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(event);

        return 0;
}

static int event_of_signal(sd_bus_message *message, berth_event **ret) {
        const char *path;
        int r;

        if (sd_bus_message_is_signal(message, DBUS_PROPERTIES, "PropertiesChanged") > 0)
                return event_read(
                                BERTH_EVENT_CHANGED, sd_bus_message_get_path(message), message,
                                event_changed, ret);
        if (sd_bus_message_is_signal(message, SERVICE_MANAGER, "Progress") > 0)
                return event_progress(message, ret);
        if (sd_bus_message_is_signal(message, DBUS_OBJECTS, "InterfacesAdded") > 0) {
                r = sd_bus_message_read(message, "o", &path);

                return r < 0 ? r : event_read(BERTH_EVENT_ADDED, path, message, event_added, ret);
        }
        if (sd_bus_message_is_signal(message, DBUS_OBJECTS, "InterfacesRemoved") > 0) {
                r = sd_bus_message_read(message, "o", &path);

                return r < 0 ? r : event_read(BERTH_EVENT_REMOVED, path, message, event_removed, ret);
        }

        return -ENOMSG;
}

static int on_signal(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        berth *connection = userdata;
        berth_event *event = NULL;
        int r;

        if (!streq_null(sd_bus_message_get_sender(message), connection->service_owner))
                return 0;
        r = event_of_signal(message, &event);
        if (r >= 0 || r == -ENOMEM) /* anything else is nothing that a container did */
                queue_push(connection, event);

        return 0;
}

static int on_owner(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        berth *connection = userdata;
        const char *name, *before, *after;

        if (!streq_null(sd_bus_message_get_sender(message), DBUS_NAME) ||
            sd_bus_message_read(message, "sss", &name, &before, &after) < 0 || !streq(name, SERVICE_NAME))
                return 0;

        connection->features = strv_free(connection->features);
        (void) string_set(&connection->service_owner, *after ? after : NULL);
        if (*before)
                queue_push(connection, event_new(BERTH_EVENT_RESET, ""));

        return 0;
}

/*
 * Beginning and ending
 */

static int add_descriptor(int poll_fd, int fd) {
        struct epoll_event event = { .events = EPOLLIN };

        return epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int watch_descriptors(berth *connection) {
        int r;

        connection->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        connection->poll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (connection->event_fd < 0 || connection->poll_fd < 0)
                return -errno;
        r = add_descriptor(connection->poll_fd, connection->event_fd);
        if (r >= 0)
                r = add_descriptor(connection->poll_fd, sd_bus_get_fd(connection->bus));

        return r;
}

static int watch_begin(berth *connection) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL, *reply = NULL;
        const char *owner;
        int r;

        r = watch_descriptors(connection);
        if (r >= 0)
                r = sd_bus_add_match_async(
                                connection->bus, &connection->watch_signals,
                                "type='signal',sender='" SERVICE_NAME "',path_namespace='" SERVICE_PATH "'",
                                on_signal, NULL, connection);
        if (r >= 0)
                r = sd_bus_match_signal_async(
                                connection->bus, &connection->watch_owner, DBUS_NAME, DBUS_PATH, DBUS_NAME,
                                "NameOwnerChanged", on_owner, NULL, connection);
        if (r < 0)
                return error_set_errno(r, "wait for signals");

        /* This starts the service if need be, and has it know that somebody is there. */
        connection->features = strv_free(connection->features);
        r = service_load_features(connection);
        if (r >= 0) {
                r = sd_bus_message_new_method_call(
                                connection->bus, &call, DBUS_NAME, DBUS_PATH, DBUS_NAME, "GetNameOwner");
                if (r >= 0)
                        r = sd_bus_message_append(call, "s", SERVICE_NAME);
                r = r < 0 ? error_set_errno(r, "make a call to the bus")
                          : connection_call(connection, call, &reply);
        }
        if (r < 0)
                return r;

        r = sd_bus_message_read(reply, "s", &owner);
        if (r >= 0)
                r = string_set(&connection->service_owner, owner);

        return r < 0 ? error_reply(r, "GetNameOwner") : 0;
}

void watch_end(berth *connection) {
        connection->watch_signals = sd_bus_slot_unref(connection->watch_signals);
        connection->watch_owner = sd_bus_slot_unref(connection->watch_owner);
        queue_clear(connection);
        connection->event_fd = fd_close(connection->event_fd);
        connection->poll_fd = fd_close(connection->poll_fd);
        (void) string_set(&connection->service_owner, NULL);
}

int berth_watch(berth *connection) {
        int r = connection_enter(connection);

        if (r < 0)
                return r;
        if (connection->poll_fd < 0) {
                r = watch_begin(connection);
                if (r < 0)
                        watch_end(connection);
        }

        return connection_leave(connection, r);
}

int berth_next_event(berth *connection, uint64_t timeout_usec, berth_event **ret_event) {
        uint64_t deadline = deadline_after(timeout_usec);
        berth_event *event = NULL;
        int r;

        r = connection_enter(connection);
        if (r < 0)
                return r;

        if (connection->poll_fd < 0 || !ret_event)
                r = error_set(BERTH_ERROR_INVALID_ARGS, "events are not collected, or have no place to go");
        else if (!connection->driven) /* or an answer that its thread is waiting for could be taken from
                                         under it */
                r = connection_drain(connection);
        while (r >= 0 && !(event = queue_pop(connection)))
                r = connection_wait(connection, deadline);
        if (event) {
                *ret_event = event;
                return connection_leave(connection, 1);
        }
        if (r == -ETIMEDOUT)
                r = 0;
        else if (!error_name(connection->id))
                r = error_set_errno(r, "wait for events");

        return connection_leave(connection, r);
}

int berth_get_fd(berth *connection) {
        int r = connection_enter(connection);

        if (r < 0)
                return r;
        r = connection->poll_fd >= 0 ? connection->poll_fd
                                     : error_set(BERTH_ERROR_INVALID_ARGS, "events are not collected");

        return connection_leave(connection, r);
}

int berth_set_event_handler(berth *connection, berth_event_handler handler, void *userdata) {
        int r = connection_enter(connection);

        if (r < 0)
                return r;
        connection->handler = handler;
        connection->handler_userdata = userdata;

        return connection_leave(connection, 0);
}
