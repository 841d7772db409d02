/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bytes of an archive with every compression taken off. libarchive does that, by what is built into it and never
 * by running a program; but it is done apart from reading the archive, so that it is seen whether the input ends where
 * the archive does, and that all of it is read: only then have all checksums been.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "unpack/report.h"

typedef struct Input Input;

/* FD stays the caller's. A failure is in the report. */
int input_new(Report *report, int fd, Input **ret);
Input *input_free(Input *input);

/* The next bytes, which the input owns until the next call: how many, 0 at the end, or a negative errno that is in the
 * report. */
ssize_t input_read(Input *input, const void **ret_data);

/* Reads what is left. 0 or as above. */
int input_drain(Input *input);

/* Was the end reached, and did what came before it end with a block of zeros, as archives do? */
bool input_is_at_end(const Input *input);
bool input_ended_with_zeros(const Input *input);
