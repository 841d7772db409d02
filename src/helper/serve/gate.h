/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who may ask, and with which descriptors. Nothing here changes anything.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define MANAGER_USER "berth"
#define MANAGER_UNIT "berth-manager.service"

/* Is the process that connected to this socket the manager: of its user, and in its unit? The process is
 * held by a pidfd while its cgroup is read, so that no other one can be in its place. 0, or -EPERM with WHY
 * and the peer's pid as far as it is known. */
int gate_peer(int socket, uid_t manager, pid_t *ret_pid, char *why, size_t size);

/* Does a cgroup's path, as /proc/PID/cgroup has it, lie in UNIT, which is in slices only: at its top (BELOW
 * is ""), or at or beneath BELOW ("/payload")? */
bool gate_cgroup_is(const char *path, const char *unit, const char *below);

/* The same for a process. -ESRCH: it is not, or not any more. */
int gate_process_is(pid_t pid, int pidfd, const char *unit, const char *below);

typedef enum DescriptorKind {
        DESCRIPTOR_PROGRESS,  /* the writing end of a pipe */
        DESCRIPTOR_ARCHIVE,   /* a file or the reading end of a pipe */
        DESCRIPTOR_DIRECTORY, /* a directory that was opened for reading: O_PATH proves no right */
        DESCRIPTOR_IMAGE,     /* a regular file, opened for reading and not for writing */
        DESCRIPTOR_SOURCE,    /* a directory or regular file, opened in any way */
        _DESCRIPTOR_KIND_N,
} DescriptorKind;

/* Is a descriptor of that kind? What it may be used for is not said by that. 0, -EINVAL, or the errno of
 * fstat(2). */
int gate_descriptor(int fd, DescriptorKind kind);

/* What it has to be, as a clause. */
const char *gate_descriptor_rule(DescriptorKind kind);
