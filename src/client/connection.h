/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The inside of a connection, and how a call is made on it. sd-bus itself is for one thread at a time, so
 * everything happens under the lock, except waiting: of all threads that wait, one, the driver, polls the
 * socket without the lock and handles what arrives, for itself and for the others, which wait for it to say
 * that something changed. So nobody's long call holds up another one's.
 *
 * A public function begins with connection_enter() and ends with connection_leave(), which also hands out
 * events.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "basic/cleanup.h"
#include "client/include/berth.h"

#define DBUS_NAME "org.freedesktop.DBus"
#define DBUS_PATH "/org/freedesktop/DBus"
#define SERVICE_NAME "org.berth.container1"
#define SERVICE_PATH "/org/berth/container1"
#define SERVICE_MANAGER "org.berth.container1.Manager"
#define SERVICE_CONTAINER "org.berth.container1.Container"

#define EVENTS_MAX 4096 /* that wait; when there are more all are dropped and one says so */

DEFINE_CLEANUP(berth_event *, berth_event_free)

struct berth {
        uint64_t id; /* never used again, unlike an address */
        pthread_mutex_t lock;
        pthread_cond_t changed;
        bool driven; /* some thread is the driver */
        sd_bus *bus;
        bool remote; /* over ssh, which loses descriptors even where both ends agree on them */

        bool interactive;
        uint64_t timeout_usec;
        char **features; /* NULL: not asked yet */

        berth_event **events; /* a queue; the first that counts is at FIRST_EVENT */
        size_t n_events, first_event;
        berth_event_handler handler;
        void *handler_userdata;
        bool handling;

        int event_fd;        /* readable when there are events */
        int poll_fd;         /* epoll of that and of the bus; -EBADF before berth_watch() */
        char *service_owner; /* the unique name whose signals count; NULL when the service is not there */
        sd_bus_slot *watch_signals, *watch_owner;
};

/* Takes the lock and forgets the thread's last error. 0; without a connection -EINVAL, with the error set.
 */
int connection_enter(berth *connection);

/* Hands events to the handler, if there is one, and gives the lock back. Returns R. Messages have to be let
 * go before: each holds the bus by a count that is not atomic. */
int connection_leave(berth *connection, int r);

/* The end of waiting that begins now, of CLOCK_MONOTONIC; UINT64_MAX for ever. */
uint64_t deadline_after(uint64_t usec);

/* Lets the bus work, and waits for something to happen. 0 or a negative errno, -ETIMEDOUT when DEADLINE has
 * passed. The lock is held, and let go while waiting. */
int connection_wait(berth *connection, uint64_t deadline);

/* Handles what has arrived and does not wait: 1 if there was something, 0, or a negative errno. */
int connection_drain(berth *connection);

/* Sends a method call and waits for its answer, which the caller unrefs; errors are kept. */
int connection_call(berth *connection, sd_bus_message *message, sd_bus_message **ret_reply);

/* Starts a method call to the service, with the flags and so on that all calls have. */
int connection_method(
                berth *connection,
                const char *path,
                const char *interface,
                const char *member,
                sd_bus_message **ret_message);

/* Both, for a call whose arguments are of basic types, given as for sd_bus_message_append(3). */
int connection_call_method(
                berth *connection,
                const char *path,
                const char *interface,
                const char *member,
                sd_bus_message **ret_reply,
                const char *types,
                ...);

/* What a later version may know as a flag is refused, never passed over. 0, or a negative errno and an error. */
int connection_check_flags(uint32_t flags, uint32_t known);

/* 0 if descriptors can be handed over on this connection, else the errno with the error kept. */
int connection_check_descriptors(berth *connection);

/* Keeps the error for an answer that cannot be read, and returns R. */
int error_reply(int r, const char *member);
