/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The helper's lines in the journal, and how many there may be of those that somebody else can cause.
 */
#pragma once

#include <stdint.h>
#include <syslog.h>

#include "basic/macro.h"

/* One line with a priority; what would steer a terminal or forge a line is escaped. */
void log_line(int priority, const char *format, ...) _printf_(2, 3);

typedef struct Refusals {
        uint64_t since; /* CLOCK_MONOTONIC in microseconds: when the current count began */
        unsigned told;
        uint64_t untold;
} Refusals;

/* A line of priority warning, unless there were too many of late; then it is counted, and the number told
 * later. */
void refusals_tell(Refusals *refusals, const char *format, ...) _printf_(2, 3);

/* Tells the number of lines that were left out, if any. */
void refusals_flush(Refusals *refusals);
