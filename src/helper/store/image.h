/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copies a disk image into the store, without looking at what is in it. */
#pragma once

#include "helper/store/place.h"

/* FROM was opened for reading, which only root can have done: a regular file of root's that gives nothing to group and
 * others. TO is empty. PROGRESS is a pipe or -EBADF. */
int image_copy(int from, int to, int progress, StoreError *error);
