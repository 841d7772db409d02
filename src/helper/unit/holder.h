/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who has a root locked: for the error message, and for whether waiting for the lock makes sense. Found by looking, so
 * that nothing has to be written down. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Fills the buffer with "container NAME" for the running container whose root is this directory or disk image, or with
 * what can be said otherwise; false then. */
bool holder_find(int root_fd, char *buffer, size_t size);
