/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a container may be changed: systemd says whether its unit runs. */
#pragma once

#include "helper/ops/ops.h"

/* Goes on with the request; or BUSY: the container runs, and the function has to answer or to undo. */
typedef int (*IdleNext)(Request *request);

/* Asks for the container's units of both kinds; calls IDLE when none is up or about to be, else BUSY, and UNKNOWN when
 * systemd does not say (NULL: the request fails with its words). The request's context begins with an IdleQuestion. */
typedef struct IdleQuestion {
        IdleNext idle, busy, unknown;
} IdleQuestion;

int request_ask_idle(Request *request, IdleNext idle, IdleNext busy, IdleNext unknown);

/* Refuses because the container runs. */
int request_fail_running(Request *request);
