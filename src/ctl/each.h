/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The same call for several containers. root's calls are made side by side, since each may wait for a
 * container to start or to stop; another user's one after the other, since each may have a password asked
 * for.
 */
#pragma once

#include "client/include/berth.h"
#include "ctl/options.h"

typedef struct Each {
        const char *doing;    /* for messages: "start" */
        const char *progress; /* for what takes long: "Starting" */
        int (*call)(berth *connection, const char *name, const void *userdata);
        const void *userdata;
} Each;

/* Calls it for all containers that the arguments name. The exit status; what failed has been told. */
int each_container(const Arguments *arguments, const Each *each);

/* The same for names that are known, and a connection that is there. */
int each_name(berth *connection, char *const *names, const Each *each);
