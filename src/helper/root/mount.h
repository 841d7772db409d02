/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The mount calls of a start. Everything is a detached mount held by a descriptor until it is attached to a target that
 * was opened beneath the container's root; no path is ever resolved twice.
 *
 * All of it happens in the launcher's private mount namespace, which the initial user namespace owns. The payload gets
 * a copy of it that its own user namespace owns, and in making that copy the kernel locks every flag and every mount
 * (lock_mnt_tree() in fs/namespace.c): that is what keeps restrictions on, not an LSM.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "helper/launch/failure.h"
#include "spec/definition.h"

typedef struct FsOption {
        const char *key;
        const char *value; /* NULL for a flag */
} FsOption;

/* A new file system of a type, as a detached mount with these MOUNT_ATTR_* flags. The list of options ends with a NULL
 * key. What the file system says about a refusal becomes the failure's cause. */
int mount_new(Failure *failure, const char *type, const FsOption *options, uint64_t attributes, int *ret_fd);

/* A detached copy of what is mounted at a path beneath dirfd (or of dirfd itself, with an empty path). */
int mount_clone(int dirfd, const char *path, bool recursive, int *ret_fd);

/* Attaches a detached mount on top of an opened target. */
int mount_attach(int mount_fd, int target_fd);

/* The same where the target is a name directly in a directory that nobody else can change. */
int mount_attach_at(int mount_fd, int dirfd, const char *name);

/* Cuts a mount, with all below it, off from the mounts that it is a copy of: neither sees what is mounted in
 * the other. */
int mount_make_private(int mount_fd);

/* Sets MOUNT_ATTR_* flags. */
int mount_restrict(int mount_fd, uint64_t attributes, bool recursive);

/* Clears them. */
int mount_lift(int mount_fd, uint64_t attributes);

/* Sets them together with an id map, before the mount is attached. */
int mount_idmap(int mount_fd, int user_namespace, uint64_t attributes, bool recursive);

/* MountFlag bits as MOUNT_ATTR_* */
uint64_t mount_attributes(unsigned mount_flags);

/* Opens a directory of the container's root to mount on. No component of the path may be a symbolic link. A missing
 * one is made if create says so. The failure's cause tells what the root would have to look like. */
int target_open_directory(Failure *failure, int root_fd, const char *path, bool create, int *ret_fd);

/* Opens the target of a [Mount]: symbolic links are followed as the container would see them, never out of its root.
 * A missing one is made as a directory or an empty file if create says so. */
int target_open(Failure *failure, int root_fd, const char *path, bool create, bool directory, int *ret_fd);
