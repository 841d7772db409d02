/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The writable layer over a shared root: in berth's store (Overlay=yes), where its files are kept in the foreign id
 * range, or in memory (Ephemeral=yes), where nothing is left of them when the container is gone.
 */
#pragma once

#include "helper/launch/failure.h"
#include "helper/launch/plan.h"

/* Opens the directory of a container's layer in the store; makes it, with its "upper" and "work", if it is missing. */
int overlay_open_store(Failure *failure, const LaunchPlan *plan, int *ret_fd);

/* Mounts the overlay on the stage: lower is a detached, mapped mount of the shared root, layers the store's directory,
 * or -EBADF for a layer in memory. */
int overlay_mount(Failure *failure, const LaunchPlan *plan, int stage, int layers, int lower, int *ret_tree);

/* The id map of what lies in the store: the foreign range on disk, the container's ids when mounted. */
int overlay_foreign_map(const LaunchPlan *plan, IdMap *ret);
