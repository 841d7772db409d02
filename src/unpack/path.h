/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of members: what an archive calls a file becomes a path below the target, or is refused.
 */
#pragma once

#include <stdbool.h>

#include "spec/limits.h"

typedef enum PathError {
        _PATH_E_SUCCESS,
        PATH_E_PARENT, /* has ".." in it */
        PATH_E_LONG,   /* longer than a path can be */
        PATH_E_DEEP,   /* more than UNPACK_DEPTH_MAX directories */
} PathError;

/* The path without "." and empty components; "" stands for the target itself. RET_ABSOLUTE tells that it began with a
 * "/", which is left out. */
int path_clean(const char *raw, char ret[static PATH_SIZE_MAX], bool *ret_absolute);

/* Where the last component begins. */
const char *path_last(const char *path);

/* The first SIZE bytes of a clean path. */
void path_part(const char *path, size_t size, char ret[static PATH_SIZE_MAX]);
