/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Disk images: the file system in one (spec/image.h), as a mount over a loop device that goes with it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "helper/launch/failure.h"

/* Opens the image behind a location that was found (O_PATH). Only a file whose bytes are root's alone: the
 * kernel takes them for a file system of its own making. */
int loop_open(Failure *failure, int location, bool written, int *ret_fd);

/* Mounts its root as a detached mount with these MOUNT_ATTR_* flags. */
int loop_mount(Failure *failure, int image, bool written, uint64_t attributes, int *ret_fd);
