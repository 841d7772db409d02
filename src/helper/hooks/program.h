/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The program of a hook that is run on the host: root's alone, as is every directory on the way to it. What
 * was looked at is what is executed, by its descriptor.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define HOOK_CAUSE_SIZE 640

typedef struct HookProgram {
        int fd;
        bool script; /* its interpreter opens it again, as /dev/fd/3 */
} HookProgram;

#define HOOK_PROGRAM_NULL ((HookProgram){ .fd = -EBADF })

/* CAUSE is a clause, "" if the errno's own text says it. */
int hook_program_open(const char *path, HookProgram *ret, char cause[static HOOK_CAUSE_SIZE]);
