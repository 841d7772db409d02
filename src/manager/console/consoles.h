/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The consoles of all containers that have one (Console=yes). A launcher hands over each at the container's start, and
 * again when the guest reboots: the new one takes the old one's place, and who is attached stays so. Masters and rings
 * are kept by systemd for the manager's unit, so that the next manager goes on where this one ended. A container
 * without a console costs nothing here.
 *
 * A message of a launcher and systemd's signals come on different ways, in any order, and a unit that is restarted is
 * inactive for a moment. So a console is closed only when its container is not up a little later, and also when no
 * container turns up for it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#include "basic/cleanup.h"

typedef struct Consoles Consoles;

typedef struct ConsolesHandler {
        /* Does it have processes, or is it being started or rebooted? */
        bool (*is_up)(const char *container, void *userdata);
        /* No console is held any more. Optional. */
        void (*idle)(void *userdata);
        void *userdata;
} ConsolesHandler;

/* What consoles_attach() may return besides 0 and negative errnos. */
enum {
        CONSOLES_NONE = 1,      /* the container has no console */
        CONSOLES_MANY_CLIENTS,  /* CONSOLE_CLIENTS_MAX are attached to it */
};

int consoles_new(sd_event *event, const ConsolesHandler *handler, Consoles **ret);

/* Closes all, clients too, and leaves to systemd what it keeps. */
Consoles *consoles_free(Consoles *consoles);
DEFINE_CLEANUP(Consoles *, consoles_free)

/* Offers a descriptor of LISTEN_FDS, before consoles_begin(). 1: it is a console's and taken (and closed, if it is of
 * no use); 0: it is somebody else's; negative errno: it is a console's and not taken. */
int consoles_take(Consoles *consoles, const char *fdname, int fd);

/* Begins, when it is known which containers are up: consoles of others are dropped. 0 or negative errno. */
int consoles_begin(Consoles *consoles);

/* How many are held, those included whose clients have yet to read the rest. */
size_t consoles_count(const Consoles *consoles);

/* A stream socket, close-on-exec, that gives what the console showed last and then carries both directions. It ends
 * when the container is gone (not when the guest reboots) or the manager is. Who reads too slowly loses output and
 * finds a line that says how much. */
int consoles_attach(Consoles *consoles, const char *container, int *ret_fd);

/* The container has ended; call it whenever one has, console or not. Its console goes if it does not come back at
 * once. */
void consoles_forget(Consoles *consoles, const char *container);
