/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * /dev: a tmpfs made in the initial user namespace, since device nodes work only there, with the nodes that every
 * container has, owned by the container's root, and those of [Device] (device.h). Others are refused by the unit's
 * device policy.
 */
#pragma once

#include "helper/launch/failure.h"
#include "helper/launch/plan.h"

/* Mounts /dev with /dev/pts and /dev/shm, and /dev/mqueue from a detached mount (or -EBADF). With Console=yes also
 * makes the pty behind /dev/console, and returns its master; else -EBADF. */
int dev_mount(Failure *failure, const LaunchPlan *plan, int root_fd, int mqueue, int *ret_console);
