/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/connection.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "basic/parse.h"
#include "basic/string.h"
#include "basic/strv.h"
#include "client/error.h"
#include "client/watch.h"

#define NSEC_PER_USEC 1000
/* How many are handled before it is looked whether somebody's answer was among them. */
#define MESSAGES_AT_ONCE 64

static uint64_t now_usec(void) {
        struct timespec now;

        (void) clock_gettime(CLOCK_MONOTONIC, &now);

        return (uint64_t) now.tv_sec * USEC_PER_SEC + (uint64_t) now.tv_nsec / NSEC_PER_USEC;
}

uint64_t deadline_after(uint64_t usec) {
        uint64_t deadline;

        return usec == UINT64_MAX || __builtin_add_overflow(now_usec(), usec, &deadline) ? UINT64_MAX
                                                                                         : deadline;
}

static struct timespec timespec_of(uint64_t usec) {
        return (struct timespec){
                .tv_sec = (time_t) (usec / USEC_PER_SEC),
                .tv_nsec = (long) (usec % USEC_PER_SEC) * NSEC_PER_USEC,
        };
}

/*
 * Opening and closing
 */

static int connection_prepare(berth *connection) {
        pthread_condattr_t attributes;
        int r;

        r = pthread_mutex_init(&connection->lock, NULL);
        if (r != 0)
                return -r;
        r = pthread_condattr_init(&attributes);
        if (r == 0) {
                (void) pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
                r = pthread_cond_init(&connection->changed, &attributes);
                (void) pthread_condattr_destroy(&attributes);
        }
        if (r != 0)
                (void) pthread_mutex_destroy(&connection->lock);

        return -r;
}

/* Makes a connection of a bus that is being connected, which it owns from then on, also when this fails. R
 * is how that went so far. */
static int connection_new(int r, sd_bus *bus_take, berth **ret) {
        static atomic_uint_fast64_t last_id;
        const char *unique;
        berth *connection;

        if (r >= 0)
                r = sd_bus_get_unique_name(bus_take, &unique); /* which waits for the connection */
        if (r < 0) {
                (void) sd_bus_close_unref(bus_take);
                return error_set_errno(r, "connect to the system bus");
        }

        connection = calloc(1, sizeof *connection);
        r = connection ? connection_prepare(connection) : -ENOMEM;
        if (r < 0) {
                free(connection);
                (void) sd_bus_close_unref(bus_take);
                return error_set_errno(r, "keep a connection");
        }

        connection->id = atomic_fetch_add(&last_id, 1) + 1;
        connection->bus = bus_take;
        connection->timeout_usec = UINT64_MAX;
        connection->event_fd = connection->poll_fd = -EBADF;
        *ret = connection;

        return 0;
}

int berth_open(berth **ret_connection) {
        sd_bus *bus = NULL;
        int r;

        error_reset(0);
        if (!ret_connection)
                return error_set(BERTH_ERROR_INVALID_ARGS, "there is no place for the connection");
        r = sd_bus_open_system_with_description(&bus, "berth");

        return connection_new(r, bus, ret_connection);
}

int berth_open_remote(const char *host, berth **ret_connection) {
        sd_bus *bus = NULL;
        int r;

        error_reset(0);
        if (!host || !*host || *host == '-' || !ret_connection)
                return error_set(BERTH_ERROR_INVALID_ARGS, "this is no name of a host");
        r = sd_bus_open_system_remote(&bus, host);
        r = connection_new(r, bus, ret_connection);
        if (r >= 0)
                (*ret_connection)->remote = true;

        return r;
}

int berth_open_machine(const char *machine, berth **ret_connection) {
        sd_bus *bus = NULL;
        int r;

        error_reset(0);
        if (!machine || !*machine || !ret_connection)
                return error_set(BERTH_ERROR_INVALID_ARGS, "this is no name of a machine");
        r = sd_bus_open_system_machine(&bus, machine);

        return connection_new(r, bus, ret_connection);
}

berth *berth_close(berth *connection) {
        if (!connection)
                return NULL;

        watch_end(connection);
        (void) sd_bus_flush_close_unref(connection->bus);
        strv_free(connection->features);
        (void) pthread_cond_destroy(&connection->changed);
        (void) pthread_mutex_destroy(&connection->lock);
        free(connection);

        return NULL;
}

const char *berth_error_name(const berth *connection) {
        return error_name(connection ? connection->id : 0);
}

const char *berth_error_message(const berth *connection) {
        return error_message(connection ? connection->id : 0);
}

int berth_set_interactive(berth *connection, int interactive) {
        int r = connection_enter(connection);

        if (r < 0)
                return r;
        connection->interactive = interactive != 0;

        return connection_leave(connection, 0);
}

int berth_set_timeout(berth *connection, uint64_t usec) {
        int r = connection_enter(connection);

        if (r < 0)
                return r;
        connection->timeout_usec = usec;

        return connection_leave(connection, 0);
}

/*
 * Waiting
 */

int connection_enter(berth *connection) {
        error_reset(connection ? connection->id : 0);
        if (!connection)
                return error_set(BERTH_ERROR_INVALID_ARGS, "there is no connection");
        (void) pthread_mutex_lock(&connection->lock);

        return 0;
}

int connection_leave(berth *connection, int r) {
        watch_handle(connection);
        (void) pthread_mutex_unlock(&connection->lock);

        return r;
}

int connection_drain(berth *connection) {
        bool handled = false;

        for (unsigned i = 0; i < MESSAGES_AT_ONCE; i++) {
                int r = sd_bus_process(connection->bus, NULL);

                if (r < 0)
                        return r;
                if (r == 0)
                        break;
                handled = true;
        }

        return handled;
}

/* Waits for the socket, without the lock. */
static int connection_poll(berth *connection, uint64_t deadline) {
        struct pollfd fd = { .fd = sd_bus_get_fd(connection->bus) };
        uint64_t until = UINT64_MAX, now;
        struct timespec timeout;
        int r, events = sd_bus_get_events(connection->bus);

        if (fd.fd < 0)
                return fd.fd;
        if (events < 0)
                return events;
        fd.events = (short) events;
        r = sd_bus_get_timeout(connection->bus, &until);
        if (r < 0)
                return r;

        until = until < deadline ? until : deadline;
        now = now_usec();
        timeout = timespec_of(until > now ? until - now : 0);
        (void) pthread_mutex_unlock(&connection->lock);
        r = ppoll(&fd, 1, until == UINT64_MAX ? NULL : &timeout, NULL) < 0 && errno != EINTR ? -errno : 0;
        (void) pthread_mutex_lock(&connection->lock);

        return r;
}

static int connection_drive(berth *connection, uint64_t deadline) {
        int r = connection_drain(connection);

        if (r != 0)
                return r < 0 ? r : 0;
        if (deadline <= now_usec())
                return -ETIMEDOUT;

        return connection_poll(connection, deadline);
}

int connection_wait(berth *connection, uint64_t deadline) {
        int r;

        if (connection->driven) {
                struct timespec until = timespec_of(deadline);

                r = deadline == UINT64_MAX
                                    ? pthread_cond_wait(&connection->changed, &connection->lock)
                                    : pthread_cond_timedwait(
                                                      &connection->changed, &connection->lock, &until);
                return -r;
        }

        connection->driven = true;
        r = connection_drive(connection, deadline);
        connection->driven = false;
        (void) pthread_cond_broadcast(&connection->changed);
        watch_handle(connection);

        return r;
}

/*
 * Calling
 */

typedef struct Answer {
        sd_bus_message *message; /* NULL until it is there */
} Answer;

static int on_answer(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Answer *answer = userdata;

        answer->message = sd_bus_message_ref(message);

        return 1;
}

static int connection_ask(berth *connection, sd_bus_message *message, Answer *answer) {
        uint64_t deadline = deadline_after(connection->timeout_usec);
        sd_bus_slot *slot = NULL;
        int r;

        r = sd_bus_call_async(connection->bus, &slot, message, on_answer, answer, UINT64_MAX);
        if (r < 0)
                return r;
        r = sd_bus_flush(connection->bus);
        while (r >= 0 && !answer->message)
                r = connection_wait(connection, deadline);
        (void) sd_bus_slot_unref(slot);

        return answer->message ? 0 : r;
}

/* Keeps the error of an answer. What the bus says in the service's place is told apart: the service may have
 * said the same of something else. */
static int refused(berth *connection, sd_bus_message *message, sd_bus_message *answer) {
        const sd_bus_error *error = sd_bus_message_get_error(answer);
        bool by_bus = streq_null(sd_bus_message_get_sender(answer), DBUS_NAME) &&
                      !streq_null(sd_bus_message_get_destination(message), DBUS_NAME);

        if (sd_bus_is_open(connection->bus) <= 0)
                return error_set(BERTH_ERROR_DISCONNECTED, "the connection to the system bus was lost");
        if (by_bus && sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY))
                return error_set(BERTH_ERROR_DISCONNECTED, "the service ended before it had answered");
        if (by_bus && !sd_bus_error_has_names(
                                      error, SD_BUS_ERROR_ACCESS_DENIED, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                      SD_BUS_ERROR_NO_MEMORY))
                return error_set(
                                BERTH_ERROR_NO_SERVICE, "the service cannot be reached: %s",
                                error->message ?: error->name);

        return error_set_bus(error);
}

int connection_call(berth *connection, sd_bus_message *message, sd_bus_message **ret_reply) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *owned = NULL;
        Answer answer = { NULL };
        int r;

        r = connection_ask(connection, message, &answer);
        owned = answer.message;
        if (r < 0)
                return error_set_errno(r, "get an answer from the service");
        if (sd_bus_message_is_method_error(owned, NULL) > 0)
                return refused(connection, message, owned);

        if (ret_reply)
                *ret_reply = TAKE_PTR(owned);

        return 0;
}

int connection_method(
                berth *connection,
                const char *path,
                const char *interface,
                const char *member,
                sd_bus_message **ret_message) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = sd_bus_message_new_method_call(connection->bus, &message, SERVICE_NAME, path, interface, member);
        if (r >= 0)
                r = sd_bus_message_set_allow_interactive_authorization(message, connection->interactive);
        if (r < 0)
                return error_set_errno(r, "make a call to the service");

        *ret_message = TAKE_PTR(message);

        return 0;
}

int connection_call_method(
                berth *connection,
                const char *path,
                const char *interface,
                const char *member,
                sd_bus_message **ret_reply,
                const char *types,
                ...) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        va_list args;
        int r;

        r = connection_method(connection, path, interface, member, &message);
        if (r < 0)
                return r;

        va_start(args, types);
        r = sd_bus_message_appendv(message, types ?: "", args);
        va_end(args);
        if (r < 0)
                return error_set_errno(r, "make a call to the service");

        return connection_call(connection, message, ret_reply);
}

int error_reply(int r, const char *member) {
        if (r == -ENOMEM)
                return error_set_errno(r, "read the answer");
        (void) error_set(BERTH_ERROR_FAILED, "the service's answer to %s is not what it should be", member);

        return -EBADMSG;
}

int connection_check_flags(uint32_t flags, uint32_t known) {
        if (!(flags & ~known))
                return 0;

        return error_set(
                        BERTH_ERROR_INVALID_ARGS, "the library does not know the flags 0x%x",
                        flags & ~known);
}

int connection_check_descriptors(berth *connection) {
        if (!connection->remote && sd_bus_can_send(connection->bus, 'h') > 0)
                return 0;

        return error_set(
                        BERTH_ERROR_NOT_SUPPORTED,
                        "no descriptor can be handed over on the way to this host");
}
