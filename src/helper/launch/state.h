/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What one start holds while it goes on, and its parts in their order (launch.c): prepare.c up to the clone,
 * build.c the payload and its mounts, release.c from there to a running container.
 */
#pragma once

#include "helper/launch/failure.h"
#include "helper/launch/plan.h"
#include "helper/launch/store.h"
#include "helper/lsm/lsm.h"
#include "helper/ns/borrow.h"
#include "helper/root/descriptor.h"
#include "helper/root/run.h"
#include "helper/root/tree.h"
#include "helper/seccomp/program.h"
#include "helper/unit/cgroup.h"

typedef struct Launch {
        Failure failure;
        Definition *definition;
        Descriptors descriptors;
        LaunchPlan plan;
        Notify notify;
        FdStore store;
        Cgroup cgroup;
        int stage;
        Root root;
        RunHost run;
        int reaper;
        SeccompProgram seccomp;
        Lsm lsm;
        int seccomp_server; /* who answers for system calls */
        int socket;         /* to the payload */
        pid_t pid;
        int pidfd;
        int user_namespace;
        int sysctl;
        int barrier; /* systemd knows the main process when this one is done */
        BorrowedMounts borrowed;
} Launch;

#define LAUNCH_NULL                                                                                         \
        ((Launch){                                                                                          \
                        .descriptors = DESCRIPTORS_NULL,                                                    \
                        .plan = LAUNCH_PLAN_NULL,                                                           \
                        .notify = NOTIFY_NULL,                                                              \
                        .store = FD_STORE_NULL,                                                             \
                        .cgroup = CGROUP_NULL,                                                              \
                        .stage = -EBADF,                                                                    \
                        .root = ROOT_NULL,                                                                  \
                        .run = RUN_HOST_NULL,                                                               \
                        .reaper = -EBADF,                                                                   \
                        .seccomp = SECCOMP_PROGRAM_NULL,                                                    \
                        .seccomp_server = -EBADF,                                                           \
                        .socket = -EBADF,                                                                   \
                        .pidfd = -EBADF,                                                                    \
                        .user_namespace = -EBADF,                                                           \
                        .sysctl = -EBADF,                                                                   \
                        .barrier = -EBADF,                                                                  \
                        .borrowed = BORROWED_MOUNTS_NULL,                                                   \
        })

void launch_done(Launch *launch);

/* Up to the definition and the unit's agreement with it. */
int launch_begin(Launch *launch, const char *name);

/* The hooks of a kind, one after the other. */
int launch_hooks(Launch *launch, HookKind kind);

/* Those that are run with the host as it is. What they have mounted is part of the host for this start. */
int launch_hooks_prelude(Launch *launch);

/* Ids, limits, machine id, system calls: what needs no mount. */
int launch_prepare(Launch *launch);

/* The payload is systemd's child, not ours: systemd sees it end, with its status. */
int launch_clone(Launch *launch);

int launch_map_ids(Launch *launch);

/* The whole tree that the container sees, and what berth puts into it. */
int launch_mount(Launch *launch);

/* Lets the payload go on, up to its first program. */
int launch_release(Launch *launch);

/* systemd knows it as a running container afterwards, and this process has nothing more to do with it. */
int launch_hand_over(Launch *launch);
