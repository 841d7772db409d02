/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/serve/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/parse.h"
#include "basic/string.h"
#include "helper/serve/gate.h"
#include "helper/serve/sweep.h"
#include "spec/name.h"

#define WHY_SIZE 256

static void server_watch_idle(Server *server) {
        bool idle = server->n_connections == 0 && server->n_requests == 0;

        if (idle)
                (void) sd_event_source_set_time_relative(server->idle, HELPER_IDLE_USEC);
        (void) sd_event_source_set_enabled(server->idle, idle ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

void server_forget(Server *server, Request *request) {
        for (Request **i = &server->requests; *i; i = &(*i)->next)
                if (*i == request) {
                        *i = request->next;
                        server->n_requests--;
                        break;
                }

        sd_bus_slot_unref(request->slot);
        sd_bus_message_unref(request->message);
        if (request->context_free)
                request->context_free(request->context);
        free(request);

        if (server->n_requests == 0)
                systemd_disconnect(&server->systemd);
        server_watch_idle(server);
}

static void connection_free(Connection *connection) {
        sd_event_source_disable_unref(connection->arrival);
        sd_event_source_disable_unref(connection->limit);
        (void) fd_close(connection->arrival_fd);
        sd_bus_close_unref(connection->bus);
        free(connection);
}
DEFINE_CLEANUP(Connection *, connection_free)

/* What the connection asked for goes on or ends as its row says; nobody will hear of it. */
static void connection_lose(Connection *connection) {
        Server *server = connection->server;

        for (Connection **i = &server->connections; *i; i = &(*i)->next)
                if (*i == connection) {
                        *i = connection->next;
                        server->n_connections--;
                        break;
                }

        for (Request *request = server->requests; request; request = request->next) {
                if (request->connection != connection)
                        continue;
                request->connection = NULL;
                if (request->child && request->operation->loss == LOSS_KILL)
                        child_kill(request->child);
        }

        connection_free(connection);
        server_watch_idle(server);
}

/* Refuses a message with an error, and says so in the journal. */
static int refuse(Connection *connection, sd_bus_message *message, const char *error, const char *why) {
        char text[2 * WHY_SIZE];

        refusals_tell(&connection->server->refusals, "Refused %s of process %d: %s",
                      sd_bus_message_get_member(message) ?: "a message", (int) connection->pid, why);

        /* What it quotes may be cut within a character: such a message would not be sent. */
        (void) string_escape_to(why, text, sizeof text);
        return sd_bus_reply_method_errorf(message, error, "%s", text);
}

static const Request *find_rival(const Server *server, const Request *request) {
        for (const Request *other = server->requests; other; other = other->next)
                if (other != request && other->operation->exclusive && streq(other->name, request->name))
                        return other;

        return NULL;
}

/* Reads what the operation is to be done to. */
static int request_read_target(Request *request, char *why) {
        const char *target = NULL;

        if (request->operation->target == TARGET_HOST)
                return 0;
        if (sd_bus_message_read_basic(request->message, 's', &target) <= 0) {
                (void) snprintf(why, WHY_SIZE, "The first argument cannot be read");
                return -EINVAL;
        }
        if (request->operation->target == TARGET_UNIT) {
                if (unit_name_parse(target, &request->kind, request->name, sizeof request->name) < 0) {
                        (void) snprintf(why, WHY_SIZE, "\"%.96s\" is no unit of a container", target);
                        return -EINVAL;
                }
                unit_name(request->kind, request->name, request->unit);
                return 0;
        }
        if (!container_name_is_valid(target)) {
                (void) snprintf(why, WHY_SIZE, "\"%.96s\" is no name of a container", target);
                return -EINVAL;
        }
        memcpy(request->name, target, strlen(target) + 1);

        return 0;
}

/* Makes a request of a message that has passed the gate, and runs its operation. */
static int request_begin(Connection *connection, sd_bus_message *message, const Operation *operation) {
        Server *server = connection->server;
        char why[WHY_SIZE];
        Request *request;
        int r;

        request = malloc(sizeof *request);
        if (!request)
                return -ENOMEM;
        *request = (Request){
                .operation = operation,
                .message = sd_bus_message_ref(message),
                .server = server,
                .connection = connection,
                .next = server->requests,
        };
        server->requests = request;
        server->n_requests++;
        server_watch_idle(server);

        if (request_read_target(request, why) < 0)
                return request_fail(request, SD_BUS_ERROR_INVALID_ARGS, "%s", why);
        if (operation->exclusive && find_rival(server, request))
                return request_fail(
                                request, HELPER_ERROR_BUSY, "Something else is being done with container %s",
                                request->name);

        r = operation->run(request);
        if (r < 0)
                return request_fail(
                                request,
                                r == -EINVAL || r == -EBADMSG || r == -ENXIO ? SD_BUS_ERROR_INVALID_ARGS
                                                                             : HELPER_ERROR_FAILED,
                                "%s %s: %s", operation->member, request->name, strerror(-r));

        return 0;
}

static int method_call(Connection *connection, sd_bus_message *message) {
        const char *signature = sd_bus_message_get_signature(message, true);
        uint64_t queued = 0;
        const Operation *operation;

        if (!sd_bus_message_is_method_call(message, HELPER_INTERFACE, NULL) ||
            !streq_null(sd_bus_message_get_path(message), HELPER_PATH))
                return refuse(connection, message, SD_BUS_ERROR_UNKNOWN_INTERFACE,
                              "There is nothing but " HELPER_INTERFACE " at " HELPER_PATH);
        operation = operation_find(sd_bus_message_get_member(message));
        if (!operation)
                return refuse(connection, message, SD_BUS_ERROR_UNKNOWN_METHOD,
                              "There is no such operation");
        if (!streq_null(signature, operation->arguments))
                return refuse(connection, message, SD_BUS_ERROR_INVALID_ARGS,
                              "The arguments are of other types");
        if (connection->server->n_requests >= HELPER_REQUESTS_MAX)
                return refuse(connection, message, SD_BUS_ERROR_LIMITS_EXCEEDED,
                              "Too many requests at the same time");
        if (sd_bus_get_n_queued_write(connection->bus, &queued) < 0 || queued > HELPER_REQUESTS_MAX)
                return -ENOBUFS;

        return request_begin(connection, message, operation);
}

/* Has the peer not closed its end? */
static bool connection_is_open(const Connection *connection) {
        char byte;

        return recv(connection->arrival_fd, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) != 0;
}

/* Every message comes here first, and none gets any further. */
static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        Connection *connection = userdata;
        int r, more = 0;

        if (sd_bus_message_is_signal(message, "org.freedesktop.DBus.Local", "Disconnected")) {
                if (connection_is_open(connection))
                        refusals_tell(&connection->server->refusals,
                                      "Closed the connection of process %d: what it sent is no D-Bus message",
                                      (int) connection->pid);
                connection_lose(connection);
                return 1;
        }
        if (!sd_bus_message_is_method_call(message, NULL, NULL) ||
            sd_bus_message_get_expect_reply(message) <= 0) {
                refusals_tell(&connection->server->refusals,
                              "Closed the connection of process %d: it sent something else than requests "
                              "that want a reply",
                              (int) connection->pid);
                connection_lose(connection);
                return 1;
        }

        /* Bytes behind the message begin another one. */
        if (ioctl(connection->arrival_fd, FIONREAD, &more) < 0)
                more = 0;
        (void) sd_event_source_set_time_relative(connection->limit, HELPER_MESSAGE_USEC);
        (void) sd_event_source_set_enabled(connection->limit, more > 0 ? SD_EVENT_ONESHOT : SD_EVENT_OFF);

        r = method_call(connection, message);
        if (r < 0) {
                refusals_tell(&connection->server->refusals, "Closed the connection of process %d: %s",
                              (int) connection->pid, strerror(-r));
                connection_lose(connection);
        }

        return 1;
}

static int on_arrival(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Connection *connection = userdata;
        int enabled = SD_EVENT_OFF;

        (void) sd_event_source_get_enabled(connection->limit, &enabled);
        if (enabled == SD_EVENT_OFF) {
                (void) sd_event_source_set_time_relative(connection->limit, HELPER_MESSAGE_USEC);
                (void) sd_event_source_set_enabled(connection->limit, SD_EVENT_ONESHOT);
        }

        return 0;
}

static int on_limit(sd_event_source *source, uint64_t usec, void *userdata) {
        Connection *connection = userdata;

        refusals_tell(&connection->server->refusals,
                      "Closed the connection of process %d: it sent no whole request in time",
                      (int) connection->pid);
        connection_lose(connection);

        return 0;
}

static int connection_watch(Connection *connection) {
        sd_event *event = connection->server->event;
        int r;

        /* Before sd-bus takes the bytes. */
        r = sd_event_add_io(event, &connection->arrival, connection->arrival_fd,
                            EPOLLIN | EPOLLET, on_arrival, connection);
        if (r < 0)
                return r;
        r = sd_event_source_set_priority(connection->arrival, SD_EVENT_PRIORITY_IMPORTANT);
        if (r < 0)
                return r;

        return sd_event_add_time_relative(
                        event, &connection->limit, CLOCK_MONOTONIC, HELPER_MESSAGE_USEC, 0, on_limit,
                        connection);
}

static int connection_start(Connection *connection, int fd_take) {
        _cleanup_close_ int fd = fd_take;
        sd_id128_t id;
        int r;

        r = sd_id128_randomize(&id);
        if (r < 0)
                return r;
        r = sd_bus_new(&connection->bus);
        if (r < 0)
                return r;
        r = sd_bus_set_fd(connection->bus, fd, fd);
        if (r < 0)
                return r;
        TAKE_FD(fd);
        r = sd_bus_set_server(connection->bus, true, id);
        if (r < 0)
                return r;
        r = sd_bus_negotiate_fds(connection->bus, true);
        if (r < 0)
                return r;
        r = sd_bus_add_filter(connection->bus, NULL, on_message, connection);
        if (r < 0)
                return r;
        r = sd_bus_start(connection->bus);
        if (r < 0)
                return r;

        return sd_bus_attach_event(connection->bus, connection->server->event, SD_EVENT_PRIORITY_NORMAL);
}

static int connection_new(Server *server, int fd_take, pid_t pid) {
        _cleanup_close_ int fd = fd_take;
        _cleanup_(connection_freep) Connection *connection = NULL;
        int r;

        connection = malloc(sizeof *connection);
        if (!connection)
                return -ENOMEM;
        *connection = (Connection){ .server = server, .pid = pid, .arrival_fd = -EBADF };

        connection->arrival_fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        if (connection->arrival_fd < 0)
                return -errno;
        r = connection_watch(connection);
        if (r < 0)
                return r;
        r = connection_start(connection, TAKE_FD(fd));
        if (r < 0)
                return r;

        connection->next = server->connections;
        server->connections = TAKE_PTR(connection);
        server->n_connections++;
        server_watch_idle(server);

        return 0;
}

static int on_connection(sd_event_source *source, int listen_fd, uint32_t events, void *userdata) {
        Server *server = userdata;
        _cleanup_close_ int fd = -EBADF;
        char why[WHY_SIZE];
        pid_t pid;
        int r;

        fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
                if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
                        refusals_tell(&server->refusals, "Cannot accept a connection: %s", strerror(errno));
                return 0;
        }
        if (gate_peer(fd, server->manager, &pid, why, sizeof why) < 0) {
                refusals_tell(&server->refusals, "Refused the connection of process %d: %s", (int) pid, why);
                return 0;
        }
        if (server->n_connections >= HELPER_CONNECTIONS_MAX) {
                refusals_tell(&server->refusals,
                              "Refused the connection of process %d: there are %d already", (int) pid,
                              HELPER_CONNECTIONS_MAX);
                return 0;
        }

        r = connection_new(server, TAKE_FD(fd), pid);
        if (r < 0)
                refusals_tell(&server->refusals, "Refused the connection of process %d: %s", (int) pid,
                              strerror(-r));

        return 0;
}

static int on_idle(sd_event_source *source, uint64_t usec, void *userdata) {
        Server *server = userdata;

        return sd_event_exit(server->event, 0);
}

static void server_done(Server *server) {
        while (server->connections)
                connection_lose(server->connections);
        while (server->requests)
                server_forget(server, server->requests);
        systemd_disconnect(&server->systemd);
        sd_event_source_disable_unref(server->listen);
        sd_event_source_disable_unref(server->idle);
        sd_event_unref(server->event);
        refusals_flush(&server->refusals);
}

static int block_signals(void) {
        sigset_t set;

        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGCHLD);
        (void) sigaddset(&set, SIGTERM);
        (void) sigaddset(&set, SIGINT);

        return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -errno : 0;
}

int serve(int listen_fd, uid_t manager) {
        _cleanup_(server_done) Server server = { .manager = manager };
        int r;

        r = block_signals();
        if (r < 0)
                return r;
        r = sd_event_new(&server.event);
        if (r < 0)
                return r;
        server.systemd.event = server.event;
        r = sd_event_add_signal(server.event, NULL, SIGTERM, NULL, NULL);
        if (r >= 0)
                r = sd_event_add_signal(server.event, NULL, SIGINT, NULL, NULL);
        if (r < 0)
                return r;
        r = sweep_begin(server.event);
        if (r < 0)
                return r;
        r = sd_event_add_io(server.event, &server.listen, listen_fd, EPOLLIN, on_connection, &server);
        if (r < 0)
                return r;
        r = sd_event_source_set_ratelimit(server.listen, HELPER_ACCEPT_USEC, HELPER_ACCEPT_MAX);
        if (r < 0)
                return r;
        r = sd_event_add_time_relative(
                        server.event, &server.idle, CLOCK_MONOTONIC, HELPER_IDLE_USEC, 0, on_idle, &server);
        if (r < 0)
                return r;

        (void) sd_notify(false, "READY=1");
        r = sd_event_loop(server.event);
        (void) sd_notify(false, "STOPPING=1");

        return r;
}
