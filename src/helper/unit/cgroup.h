/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The delegated cgroup of a container's unit: launch/ holds the launcher while it works, payload/ is the container,
 * hook/ a hook while it runs.
 * Attributes of the unit's own cgroup belong to systemd and are not written, but for cgroup.subtree_control, which
 * delegation hands to us (systemd's CGROUP_DELEGATION document).
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "basic/cleanup.h"
#include "spec/unit.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define CGROUP_LAUNCH "launch"
#define CGROUP_PAYLOAD "payload"
#define CGROUP_HOOK "hook"

typedef struct Cgroup {
        int unit;    /* the unit's directory */
        int launch;
        int payload; /* made anew */
} Cgroup;

#define CGROUP_NULL ((Cgroup) { .unit = -EBADF, .launch = -EBADF, .payload = -EBADF })

/* Moves this process into launch/ and makes a fresh payload/ with all controllers that the unit has.
 * -ENOTSUP when /sys/fs/cgroup is not cgroup v2. */
int cgroup_setup(Cgroup *cgroup);
/* Opens the same directories again, for a process that has changed to other mounts. */
int cgroup_reopen(Cgroup *cgroup);
void cgroup_done(Cgroup *cgroup);

/* The unit's directory. */
int cgroup_open_unit(int *ret_fd);

/* The path of the unit's launch/, from any process of the unit (its ExecStop= included). */
int cgroup_launch_path(char **ret);

/* Is a process one of the unit's? -ESRCH if it is not, or is gone. */
int cgroup_check_process(pid_t pid);

/* Of which kind the unit of this process is. */
UnitKind cgroup_unit_kind(void);

/* Makes hook/ below the unit's cgroup, for one hook. */
int cgroup_make_hook(int unit, int *ret_fd);

/* Kills what is in it and removes it. -ETIMEDOUT when the kernel does not end it in time. */
int cgroup_end_hook(int unit, int hook);

/* Ends the hook of a launcher that is still there, and waits until it is not: systemd begins with what is to be run at
 * the end of a unit when its main process has ended, which may be the payload's. */
int cgroup_settle(int unit);

/* Hands payload/ to the container's root: the directory and the files that the kernel lists as delegatable. */
int cgroup_delegate(const Cgroup *cgroup, uid_t uid, gid_t gid);
