/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's interfaces in a container: /proc with its dangerous parts hidden or read-only, /sys, and the container's
 * own cgroup at /sys/fs/cgroup. All targets below /proc and /sys are on the kernel's own file systems, where nobody can
 * place a link.
 */
#pragma once

#include "helper/launch/failure.h"
#include "helper/launch/plan.h"
#include "helper/ns/borrow.h"

/* Mounts what was made in the payload's namespaces, and the cgroup. *ret_sysctl is /proc/sys as it was before it became
 * read-only: what the payload sets its sysctls through. */
int api_mount(Failure *failure, const LaunchPlan *plan, int root_fd, int stage, const BorrowedMounts *borrowed,
              int payload_cgroup, int *ret_sysctl);
