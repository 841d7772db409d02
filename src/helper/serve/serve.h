/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The serving process: takes connections from the socket that systemd holds, passes each message through the
 * gate to its row of the table, and ends when nobody has been there for a while. It owns the connections and
 * the requests.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "helper/serve/log.h"
#include "helper/serve/request.h"
#include "helper/serve/systemd.h"

struct Connection {
        Server *server;
        sd_bus *bus;
        pid_t pid;      /* of who connected, for messages */
        int arrival_fd; /* the socket once more, to see bytes come */
        sd_event_source *arrival;
        sd_event_source *limit; /* runs while there are bytes that are no message yet */
        Connection *next;
};

struct Server {
        sd_event *event;
        sd_event_source *listen;
        sd_event_source *idle;
        uid_t manager;
        Systemd systemd;
        Connection *connections;
        size_t n_connections;
        Request *requests;
        size_t n_requests;
        Refusals refusals;
};

/* Serves the listening socket until idle or told to end. 0 or a negative errno. */
int serve(int listen_fd, uid_t manager);

/* Takes a request that was answered out of the server's list, and frees it. */
void server_forget(Server *server, Request *request);
