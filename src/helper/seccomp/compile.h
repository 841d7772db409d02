/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs berth-seccomp, in a process that has no right and no file but its input and output.
 */
#pragma once

#include <stddef.h>

/* From a printed bundle to a program. -EBADMSG: the compiler refuses it; then *RET_MESSAGE has its words.
 * The caller frees both. */
int seccomp_compile(
                const char *bundle, size_t size, char **ret_program, size_t *ret_size, char **ret_message);
