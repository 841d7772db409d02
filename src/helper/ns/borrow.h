/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * File systems that show the payload's namespaces (proc, sysfs, mqueue) have to be made by a process in them. The
 * payload's own process could, but then its user namespace would own the mounts and could lift every restriction on
 * them. So a short-lived child of the launcher goes there with the launcher's rights, makes them, and leaves.
 */
#pragma once

#include "helper/launch/failure.h"
#include "helper/launch/plan.h"

typedef struct BorrowedMounts {
        int proc;
        int sys;    /* -EBADF if the network namespace is the host's: sysfs shows network devices */
        int mqueue; /* -EBADF if the kernel has none */
} BorrowedMounts;

#define BORROWED_MOUNTS_NULL ((BorrowedMounts) { .proc = -EBADF, .sys = -EBADF, .mqueue = -EBADF })

/* Makes the detached mounts in the namespaces of the process behind pidfd, and brings its loopback device up. */
int borrow_mounts(Failure *failure, const LaunchPlan *plan, int pidfd, BorrowedMounts *ret);

void borrowed_mounts_done(BorrowedMounts *mounts);
