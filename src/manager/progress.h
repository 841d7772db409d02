/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How far the helper is with the data of a container: lines from a pipe, told to clients as the signal
 * Progress.
 */
#pragma once

#include "manager/manager.h"

typedef struct Progress Progress;

/* Is called for whatever comes from the helper. */
typedef void (*ProgressHeard)(void *userdata);

/* RET_FD is the writing end, for the helper. 0 or negative errno. */
int progress_new(Manager *manager, const char *container, ProgressHeard heard, void *userdata, Progress **ret,
                 int *ret_fd);

Progress *progress_free(Progress *progress);
DEFINE_CLEANUP(Progress *, progress_free)
