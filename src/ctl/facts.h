/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What berthctl status shows beyond what the service tells of a container: what its definition says, and
 * what this host keeps in /proc and /sys/fs/cgroup. All of it may be missing, and any text may hold
 * anything.
 */
#pragma once

#include <stdint.h>

#include "client/include/berth.h"

typedef struct Facts {
        char *description;     /* NULL: none, or the definition is not for the caller's eyes */
        char **files;          /* that the definition was read from, in the order of reading */
        char *command;         /* of the leader */
        uint64_t memory_limit; /* UINT64_MAX: none, or not known */
        uint64_t tasks_limit;
} Facts;

#define FACTS_EMPTY                                                                                         \
        { .memory_limit = UINT64_MAX, .tasks_limit = UINT64_MAX }

void facts_clear(Facts *facts);

/* From the text of a definition as the service gives it, with its comments. 0 or -ENOMEM. */
int facts_from_definition(Facts *facts, const char *definition);

/* From this host, for a container that runs on it. 0 or -ENOMEM. */
int facts_from_host(Facts *facts, const berth_status *status);
