/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `berth-helper launch [--stdin] NAME`: starts one container in the unit that this process was started for.
 */
#pragma once

/* Returns the exit status: 0 when the guest has the unit, PAYLOAD_EXIT_FAILED after a sentence on standard error and in
 * the unit's status. */
int launch(const char *name);

/* The same for a transient unit, whose definition is on standard input. */
int launch_transient(const char *name);
