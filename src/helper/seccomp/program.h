/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The filter of a container's system calls, as the program that the kernel runs. A start reads the profile's
 * files, and takes what was made of them before from the cache, which names programs by what they are made
 * of. Only when there is none is berth-seccomp run, as a user that nobody else is, with nothing but their
 * text.
 */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#include "basic/sha256.h"
#include "helper/launch/failure.h"
#include "helper/launch/plan.h"

typedef struct SeccompProgram {
        struct sock_filter *instructions; /* NULL: calls are not filtered */
        size_t n;
        bool notifies; /* somebody is asked about some calls */
        int file;      /* has these very bytes (store/cache.h) for as long as it is open */
        char name[SHA256_TEXT_SIZE];
} SeccompProgram;

#define SECCOMP_PROGRAM_NULL ((SeccompProgram){ .file = -EBADF })

void seccomp_program_done(SeccompProgram *program);

/* The program that the definition asks for. */
int seccomp_program_prepare(Failure *failure, const LaunchPlan *plan, SeccompProgram *ret);
