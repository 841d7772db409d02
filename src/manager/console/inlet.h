/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where launchers hand over consoles: CONSOLE_SOCKET (spec/helper-interface.h), which systemd listens on. Each
 * connection carries one message and is closed. Only root's count, and only with the one descriptor of a pty's master.
 */
#pragma once

#include <systemd/sd-event.h>

#include "basic/cleanup.h"

typedef struct Inlet Inlet;

/* Takes the master of a container's console. Descriptors are close-on-exec. */
typedef void (*InletCallback)(const char *container, int fd_take, void *userdata);

/* Takes the listening socket. 0 or negative errno. */
int inlet_new(sd_event *event, int fd_take, InletCallback callback, void *userdata, Inlet **ret);

Inlet *inlet_free(Inlet *inlet);
DEFINE_CLEANUP(Inlet *, inlet_free)
