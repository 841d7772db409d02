/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How far something is, in one line on stderr that is written over: only on a terminal, only when it takes
 * longer than two seconds, and gone when it is done.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct Progress {
        const char *what;      /* "Unpacking rootfs.tar.xz"; escaped by who sets it */
        uint64_t begun;        /* CLOCK_MONOTONIC in microseconds */
        uint64_t shown;        /* when it was shown last; 0: it is not there */
        bool never;            /* nobody looks */
} Progress;

void progress_begin(Progress *progress, const char *what);

/* DONE of TOTAL bytes, 0 when that is not known; both 0: only that it goes on. */
void progress_update(Progress *progress, uint64_t done, uint64_t total);

/* Takes the line away, for a message; the next update brings it back. */
void progress_pause(Progress *progress);

void progress_end(Progress *progress);

/* The line: "What: 42% of 1.2G, 80.1M/s". Separate for tests. */
void progress_format(const char *what, uint64_t done, uint64_t total, uint64_t usec, char *ret, unsigned size);
