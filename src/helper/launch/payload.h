/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The payload: what the container's first process does between its clone and the execution of the guest's program.
 * Everything that needs the host's rights has been done for it by then; it takes its copy of the mounts, which the
 * kernel locks as it does so, changes into them, sheds what it should not have, and executes.
 */
#pragma once

#include <stdint.h>

#include "helper/launch/failure.h"
#include "helper/launch/plan.h"
#include "helper/launch/store.h"

#define PAYLOAD_EXIT_FAILED 125 /* the container could not be started: the launcher exits with it, too */

/* What the launcher sends when everything is mounted, with the descriptors of PayloadFd. */
typedef struct PayloadGo {
        uint8_t has_credentials;
        uint8_t has_notify;
} PayloadGo;

typedef enum PayloadFd {
        PAYLOAD_FD_ROOT,   /* the root's mount on the stage */
        PAYLOAD_FD_SYSCTL, /* /proc/sys, writable */
        _PAYLOAD_FD_N,
} PayloadFd;

typedef struct Payload {
        const LaunchPlan *plan;
        const FdStore *store; /* what it passes on to the guest */
        int socket;           /* to the launcher */
        const struct SeccompProgram *seccomp;
        const struct Lsm *lsm;
        int reaper;           /* berth's init, with Boot=reaper; else -EBADF */
} Payload;

/* The process's life up to the exec; does not return. */
_noreturn_ void payload_run(const Payload *payload);

/* The launcher's side: lets it go. */
int payload_release(int socket, const PayloadGo *go, const int fds[static _PAYLOAD_FD_N]);

/* With Mount= hooks it stops when it has its copy of the mounts, before it changes into them: -ECHILD when it has ended
 * instead. */
int payload_wait_mounts(int socket);
int payload_go_on(int socket);

/* What the payload said before it ended; -EPIPE if it said nothing, because somebody killed it. */
int payload_read_failure(int socket, Failure *ret);
