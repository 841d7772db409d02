/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One program that is attached to a console: a stream socket, of which the manager holds this end. What the console
 * shows is sent from the ring, from the client's own position in it; what the client sends waits in a small buffer
 * until the guest takes it. A client that does not read is never waited for: it loses what the ring loses, and is told.
 *
 * The console owns its clients and lists them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "manager/console/ring.h"
#include "spec/limits.h"

typedef struct Client Client;

/* What a client asks of its console. */
typedef struct ClientHandler {
        void (*input)(void *userdata);                /* it has sent something: see client_input() */
        void (*gone)(Client *client, void *userdata); /* it has hung up, or has all after client_finish(): free it */
        void *userdata;
} ClientHandler;

struct Client {
        Client *next;
        const ClientHandler *handler;
        const Ring *ring;
        int fd;
        sd_event_source *io;
        uint64_t position; /* of the ring, from where it goes on */
        char notice[96];   /* to be sent before that */
        size_t notice_sent;
        uint8_t input[CONSOLE_INPUT_SIZE];
        size_t input_start, input_end;
        bool input_closed; /* it will send nothing more */
        bool behind;       /* its socket is full */
        bool broken;       /* it reads no more; what it sent before is still taken */
        bool finishing;
};

/* A new client, and in RET_FD the end that it is given, close-on-exec. 0 or negative errno. RING and HANDLER have to
 * live longer than the client. */
int client_new(sd_event *event, const Ring *ring, const ClientHandler *handler, Client **ret, int *ret_fd);

/* Does not remove it from a list. */
Client *client_free(Client *client);

/* Sends what there is, as far as the socket takes it. True if nothing is left to be sent. */
bool client_flush(Client *client);

/* Writes what it has sent to a descriptor that does not block. True if nothing is left. */
bool client_input(Client *client, int fd);

/* The stream has ended: no input is taken any more, and handler.gone is called when it has everything. True if it
 * has. */
bool client_finish(Client *client);
