/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The stage: a small file system at /run/berth/stage in the launcher's private mount namespace. Anybody may pass it:
 * hooks with the container's rights do. The container's root
 * and its layers are attached below it, and it holds the files that are mounted over parts of /proc. Nobody else ever
 * sees it; it is gone with the launcher.
 */
#pragma once

#include "helper/launch/failure.h"

#define STAGE_PARENT "/run/berth"
#define STAGE_PATH STAGE_PARENT "/stage"
#define STAGE_LOWER "lower"
#define STAGE_STORE "store"
#define STAGE_ROOT "root"
#define STAGE_HIDDEN "hidden"   /* an empty file, mode 0, the host's root's */
#define STAGE_HIDDEN_DIRECTORY "hidden-directory" /* the same, an empty directory */
#define STAGE_BOOT_ID "boot-id" /* a random id for this boot of the container */

#define STAGE_AUTODEV "autodev" /* the container's /dev and nothing else, as autodev/dev */

/* Shows the mounted /dev to hooks of the host, without a way through the container's own directories. */
int stage_expose_dev(int stage, int root_fd);

/* Gives the launcher a mount namespace of its own and the stage in it. */
int stage_enter(Failure *failure, int *ret_fd);
