/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/console/client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/cleanup.h"

/* A client that sends, or reads in small pieces, has this many turns in this time; so it cannot keep the loop busy. */
#define TURNS 64
#define TURNS_USEC (UINT64_C(100) * 1000)

DEFINE_CLEANUP(Client *, client_free)

Client *client_free(Client *client) {
        if (!client)
                return NULL;

        sd_event_source_disable_unref(client->io);
        client->fd = fd_close(client->fd);
        free(client);
        return NULL;
}

static void client_listen(Client *client) {
        bool has_place = !client->input_closed && client->input_start == client->input_end;

        (void) sd_event_source_set_io_events(
                        client->io,
                        (client->behind ? (uint32_t) EPOLLOUT : 0) | (has_place ? (uint32_t) EPOLLIN : 0));
}

/* Reads what it sends. Returns how much that was. */
static size_t client_read(Client *client) {
        ssize_t n = recv(client->fd, client->input, sizeof client->input, MSG_DONTWAIT);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;

        client->input_start = 0;
        client->input_end = n > 0 ? (size_t) n : 0;
        client->input_closed = n <= 0;
        client_listen(client);
        return client->input_end;
}

static int client_on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Client *client = userdata;
        const ClientHandler *handler = client->handler;
        bool pending = client->input_start < client->input_end;

        /* Who has closed its end may have sent something before. */
        if (revents & (EPOLLHUP | EPOLLERR)) {
                if (!pending && !client->input_closed && client_read(client) > 0)
                        handler->input(handler->userdata);
                else
                        handler->gone(client, handler->userdata);
                return 0;
        }

        if (revents & EPOLLOUT) {
                client->behind = false;
                if (client_flush(client) && client->finishing) {
                        handler->gone(client, handler->userdata);
                        return 0;
                }
        }
        if ((revents & EPOLLIN) && !pending && !client->input_closed && client_read(client) > 0)
                handler->input(handler->userdata);

        return 0;
}

int client_new(sd_event *event, const Ring *ring, const ClientHandler *handler, Client **ret, int *ret_fd) {
        _cleanup_(client_freep) Client *client = NULL;
        _cleanup_close_ int theirs = -EBADF;
        int ends[2], r;

        client = malloc(sizeof *client);
        if (!client)
                return -ENOMEM;
        *client = (Client) {
                .fd = -EBADF,
                .handler = handler,
                .ring = ring,
                .position = ring_resume(ring, 0),
        };

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
                return -errno;
        client->fd = ends[0];
        theirs = ends[1];

        r = sd_event_add_io(event, &client->io, client->fd, EPOLLIN, client_on_io, client);
        if (r < 0)
                return r;
        r = sd_event_source_set_ratelimit(client->io, TURNS_USEC, TURNS);
        if (r < 0)
                return r;
        r = sd_event_source_set_priority(client->io, SD_EVENT_PRIORITY_IDLE);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(client);
        *ret_fd = TAKE_FD(theirs);
        return 0;
}

/* CAN ends an escape sequence that was cut off. */
static void client_note_loss(Client *client) {
        uint64_t next = ring_resume(client->ring, client->position);

        (void) snprintf(
                        client->notice,
                        sizeof client->notice,
                        "\030\r\n[berth: %" PRIu64 " bytes were lost here, since they were not read in time]\r\n",
                        next - client->position);
        client->notice_sent = 0;
        client->position = next;
}

/* Sends a piece: how much of it was taken. */
static size_t client_send(Client *client, const void *data, size_t size) {
        ssize_t n = send(client->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n >= 0)
                return (size_t) n;

        if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS)
                client->behind = true;
        else
                client->broken = true;
        return 0;
}

bool client_flush(Client *client) {
        while (!client->behind && !client->broken) {
                size_t notice = strlen(client->notice) - client->notice_sent, size;
                const uint8_t *data;

                if (notice > 0) {
                        client->notice_sent += client_send(client, client->notice + client->notice_sent, notice);
                        continue;
                }
                if (client->position < ring_begin(client->ring)) {
                        client_note_loss(client);
                        continue;
                }

                size = ring_peek(client->ring, client->position, &data);
                if (size == 0)
                        break;
                client->position += client_send(client, data, size);
        }

        client_listen(client);
        return !client->behind;
}

bool client_input(Client *client, int fd) {
        while (client->input_start < client->input_end) {
                ssize_t n = write(fd, client->input + client->input_start, client->input_end - client->input_start);

                if (n > 0)
                        client->input_start += (size_t) n;
                else if (n == 0 || errno == EAGAIN)
                        return false;
                else if (errno != EINTR)
                        client->input_start = client->input_end; /* nobody is there who could read it */
        }

        client_listen(client);
        return true;
}

bool client_finish(Client *client) {
        client->finishing = true;
        client->input_closed = true;
        client->input_start = client->input_end = 0;
        return client_flush(client);
}
