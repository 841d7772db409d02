/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The container's root: found, locked, and mounted on the stage (root/stage.h), as it is or with a writable
 * layer over it, its owners mapped to the container's ids. No file of it is changed.
 */
#pragma once

#include "helper/launch/failure.h"
#include "helper/launch/plan.h"
#include "helper/launch/store.h"

/* berth's own store on the host. */
#define STORE_ROOTS "/var/lib/berth/roots"
#define STORE_IMAGES "/var/lib/berth/images"
#define STORE_OVERLAYS "/var/lib/berth/overlays"

typedef struct Root {
        int source; /* the directory or disk image that is the root */
        bool image;
        int layers; /* STORE_OVERLAYS/NAME, if the changes are kept there */
        int tree;   /* the mount on the stage */
} Root;

#define ROOT_NULL ((Root){ .source = -EBADF, .layers = -EBADF, .tree = -EBADF })

/* Opens what the root consists of; the store's directories are made when they are missing. */
int root_open(Failure *failure, const LaunchPlan *plan, Root *root);

/* Locks it: a root that is written to belongs to one container at a time, one that is only read can have
 * many readers. -START_ERRNO_ROOT_IN_USE: somebody else has it; the failure's cause names the holder. */
int root_lock(Failure *failure, const LaunchPlan *plan, FdStore *store, const Root *root);

/* Mounts it. user_namespace is the payload's, or -EBADF without one. */
int root_mount(Failure *failure, const LaunchPlan *plan, Root *root, int stage, int user_namespace);

/* What a failure that is about the root names. */
const char *root_object(const Definition *definition);

/* Are the files of the root itself written to? */
bool root_is_written(const Definition *definition);

/* May directories be added to the root, because it or its upper layer is berth's own? */
bool root_may_create(const LaunchPlan *plan);

/* The MOUNT_ATTR_* flags of the root's mount. */
uint64_t root_attributes(const LaunchPlan *plan);

/* Makes the root itself read-only, if the definition says so and it was not possible before. */
int root_seal(const LaunchPlan *plan, const Root *root);

void root_done(Root *root);
