/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cleanup functions for _cleanup_(). DEFINE_CLEANUP() makes one for a type whose destructor takes a pointer:
 * it is never called with NULL, so destructors and their callers read the same.
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "basic/macro.h"

#define DEFINE_CLEANUP(type, destructor)                              \
        _unused_ static inline void destructor##p(type *pointer) {    \
                if (*pointer)                                         \
                        (destructor)(*pointer);                       \
        }

static inline void freep(void *pointer) {
        free(*(void **) pointer);
}

/* Closes a descriptor unless it is negative, keeps errno, and returns -EBADF to be stored in its place. */
static inline int fd_close(int fd) {
        if (fd >= 0) {
                int saved = errno;

                (void) close(fd);
                errno = saved;
        }

        return -EBADF;
}

static inline void fd_closep(int *fd) {
        *fd = fd_close(*fd);
}

DEFINE_CLEANUP(FILE *, fclose)
DEFINE_CLEANUP(DIR *, closedir)

#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_close_ _cleanup_(fd_closep)
#define _cleanup_fclose_ _cleanup_(fclosep)
#define _cleanup_closedir_ _cleanup_(closedirp)
