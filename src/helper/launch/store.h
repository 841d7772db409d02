/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The unit's descriptor store: what must live as long as the container and has no process to live in (the root's lock,
 * the ids' lock, the console's master, the guest's notification socket) is kept by systemd, and comes back to the
 * launcher when the guest reboots.
 *
 * Also sorts out what else systemd passed: sockets of a socket unit go on to the guest.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "basic/notify.h"
#include "spec/handover.h"

#define STORE_LOCK_NAME "berth-lock"
#define STORE_CONSOLE_NAME "berth-console"
#define STORE_NOTIFY_NAME "berth-notify"
#define STORE_SECCOMP_NAME "berth-seccomp"
#define STORE_MAX 8
#define PASSED_MAX 64

typedef struct StoredFd {
        int fd;
        bool received; /* was in the store before */
        bool used;     /* belongs to this start */
} StoredFd;

#define FD_STORE_NULL ((FdStore){ .console = -EBADF, .notify = -EBADF, .seccomp = -EBADF, .handed = HANDOVER_NULL })

typedef struct FdStore {
        StoredFd locks[STORE_MAX];
        size_t n_locks;
        bool had_console;
        int console;           /* of this start */
        bool had_notify;
        int notify;            /* the guest's notification socket, from when on nobody reads it */
        bool had_seccomp;
        int seccomp;           /* the filter's program: whatever joins the container later takes these bytes */
        Handover handed;       /* of a transient container */
        int passed[PASSED_MAX]; /* for the guest */
        size_t n_passed;
        char passed_names[1024]; /* colon-separated, for $LISTEN_FDNAMES */
} FdStore;

/* Takes over what systemd passed at exec ($LISTEN_FDS and its companions, which are removed from the environment). */
int fd_store_receive(FdStore *store);
void fd_store_done(FdStore *store);

/* A received descriptor of this very file, marked as used; -ENOENT if there is none. */
int fd_store_find(FdStore *store, const struct stat *st);

/* Adds a descriptor of this start. -E2BIG when there are more than STORE_MAX. */
int fd_store_add(FdStore *store, int fd_take);

/* Takes a lock (unit/lock.h) for the life of the container: with a descriptor from the store if it holds one, or a new
 * one. -EWOULDBLOCK when somebody else has it. */
int fd_store_lock(FdStore *store, const char *directory, const char *name, int operation);

/* Gives systemd what is new and makes it forget what is not used any more. The locks first, before the guest runs: they
 * must not be lost with a launcher that is killed. */
int fd_store_commit_locks(FdStore *store, const Notify *notify);
int fd_store_commit_rest(FdStore *store, const Notify *notify);
