/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The few questions to systemd that a start may have, asked with systemctl(1): they are rare, and a bus connection of
 * our own would make every start load what only these need.
 */
#pragma once

#include <stdbool.h>

/* Has systemd load its units again, generators included. -EIO when it could not, after its own message. */
int systemctl_daemon_reload(void);

/* systemd does not write the cgroup attributes of a unit that is up anew when it has loaded its units again, only when
 * it is about to put a process there. So this process, which is in the unit's cgroup CGROUP already, is put there once
 * more. -EIO as above. */
int systemctl_apply_limits(const char *unit, const char *cgroup);

/* The line of `systemctl list-jobs` about the unit, "" if it has no job. The caller frees it. */
int systemctl_find_job(const char *unit, char **ret);

/* Is the host still on its way up? */
int systemctl_is_booting(bool *ret);
