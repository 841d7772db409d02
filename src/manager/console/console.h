/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The console of one container: the master of the pty behind its /dev/console, read into a ring, and the clients that
 * are attached to it.
 *
 * Reading is bounded: so many bytes a turn, and so many a second. A guest that shows more waits for its own terminal,
 * as on a serial line; nobody else does. The ring lies in memory of its own (keep.h), which survives this process.
 *
 * The other end is held open here, too: guests close and reopen their console while they boot and at each login, and a
 * master without another end gives nothing but hangups. So the pty does not tell when the container is gone; systemd
 * does, and then somebody calls console_end().
 *
 * The size of the terminal is what the launcher set; nobody can change it from here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "basic/cleanup.h"
#include "manager/console/client.h"
#include "manager/console/ring.h"
#include "spec/limits.h"

typedef struct Console Console;

struct Console {
        char name[NAME_MAX_LENGTH + 1];
        sd_event *event;
        int master; /* -EBADF: the container is gone, or not yet known to be there */
        int peer;
        sd_event_source *io;
        sd_event_source *tick;
        void *memory;
        Ring ring;
        int64_t budget;        /* bytes that may be read at once */
        uint64_t budget_usec;  /* when that was so; times are of CLOCK_MONOTONIC */
        uint64_t linger_usec;  /* when clients that are to go are cut off; 0: none are */
        ClientHandler handler;
        Client *clients;
        size_t n_clients;
        void (*empty)(Console *console, void *userdata); /* the last client of an ended console is gone: free it */
        void *userdata;
        bool ended;
        uint64_t check_usec; /* for its owner's use, like the next */
        int kept_master;
};

int console_new(
                sd_event *event,
                const char *container,
                void (*empty)(Console *console, void *userdata),
                void *userdata,
                Console **ret);
Console *console_free(Console *console);
DEFINE_CLEANUP(Console *, console_free)

/* Gives it a ring, which it needs before all else: one that was kept (-EBADMSG if it cannot be one), or a new one,
 * which systemd is told to keep. */
int console_adopt_ring(Console *console, int fd);
int console_make_ring(Console *console);

/* Shows what this master says, after all that one before it said. The clients stay. Does not block. */
int console_set_master(Console *console, int fd_take);

/* A new client. 0, negative errno, or 1 if there are too many. */
int console_attach(Console *console, int *ret_fd);

/* The container is gone: takes what it left, closes the master, and ends the connection of each client as soon as it
 * has everything, at any rate after a while. True if none is left; if not, empty() is called later. */
bool console_end(Console *console);
