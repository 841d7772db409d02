/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the processes of one unit print, from the journal, as it comes; read with the caller's rights. Lines are
 * printed as they are: they are the output of a command that the caller runs.
 */
#pragma once

#include <stdint.h>

#include "basic/cleanup.h"

typedef struct Journal Journal;

/* Follows a unit from a moment of CLOCK_REALTIME in microseconds on. 0 or a negative errno. */
int journal_open(const char *unit, uint64_t since_usec, Journal **ret);
Journal *journal_close(Journal *journal);
DEFINE_CLEANUP(Journal *, journal_close)

/* A descriptor and the events to poll(2) it for: then there may be more to print. */
int journal_get_fd(Journal *journal);
short journal_get_events(Journal *journal);

/* Prints what there is on stdout. 0 or a negative errno. */
int journal_print(Journal *journal);

/* Has the journal take in what was written up to now, if the caller may do that, and prints it. 0 or a negative
 * errno. */
int journal_finish(Journal *journal);
