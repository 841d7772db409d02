/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Locks of what a container has to itself, as files in directories that only root can enter: anybody who can read a
 * directory could keep a lock on the directory itself. The files, and how they are used, are systemd-nspawn's, so that
 * its containers and ours never share a root or an id: the lock counts only while the file is still the one of its
 * name, since whoever removes it does so under the lock (systemd's make_lock_file()).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#define LOCK_ROOTS "/run/systemd/nspawn/locks"   /* inode-DEVICE:INODE */
#define LOCK_BLOCKS "/run/systemd/nspawn-uid"    /* the block's first id */

/* Opens and locks a file, which is made if it is missing, like its directory. operation is LOCK_SH or LOCK_EX.
 * -EWOULDBLOCK when somebody else has the lock. */
int lock_acquire(const char *directory, const char *name, int operation, int *ret_fd);

/* Between two tries to get a lock that nobody is known to need: systemd closes what it kept of a unit that has ended a
 * moment after it said that it has ended, in another process. False when that has been waited for long enough;
 * *WAITED_USEC begins at 0. */
bool lock_wait(uint64_t *waited_usec);

/* The name of a root's lock in LOCK_ROOTS. */
#define LOCK_ROOT_NAME_SIZE 64
void lock_root_name(const struct stat *root, char name[static LOCK_ROOT_NAME_SIZE]);
