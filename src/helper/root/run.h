/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * /run and /run/host: what systemd's container interface promises a guest (https://systemd.io/CONTAINER_INTERFACE):
 * who runs it, its uuid, the host's os-release, credentials, inaccessible nodes, the notification socket.
 */
#pragma once

#include "helper/launch/failure.h"
#include "helper/launch/plan.h"

#define RUN_HOST_NOTIFY "/run/host/notify"
#define RUN_HOST_CREDENTIALS "/run/host/credentials"

typedef struct RunHost {
        int host;         /* the mount at /run/host */
        int notify;       /* the bound socket that the guest's READY=1 comes to, with Ready=guest; else -EBADF */
        bool credentials; /* the guest has some */
} RunHost;

#define RUN_HOST_NULL ((RunHost) { .host = -EBADF, .notify = -EBADF })

/* Mounts both; a root without /run that berth may not change, and that has no init that would need it, goes without. */
int run_mount(Failure *failure, const LaunchPlan *plan, int root_fd, RunHost *ret);

void run_host_done(RunHost *run);
