/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program that makes one thing of another: run as a user that nobody else is, without a right and without
 * the possibility to get one, within limits, with nothing but its input.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct Compiler {
        const char *path;
        char *const *arguments; /* argv, NULL at the end */
        size_t output_max;      /* bytes */
        uint64_t memory_max;    /* bytes */
        uint64_t seconds_max;   /* of processor time */
} Compiler;

/* What it wrote to its standard output for this input; with -EBADMSG, when it refused the input with the
 * status 1, what it wrote to its standard error is in *ret_message. -ENOEXEC when it cannot be run,
 * -ECANCELED when it was killed or crashed. The caller frees both. */
int compiler_run(
                const Compiler *compiler,
                const char *input,
                size_t size,
                char **ret_output,
                size_t *ret_size,
                char **ret_message);
