/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From the name of an error of org.berth.container1 to an exit status, and to what its user may do next. All verbs
 * fail by this table, so that scripts and people meet the same everywhere.
 */
#pragma once

#include <stdio.h>

/* The exit status for a D-Bus error name; NULL or one that is not known: STATUS_FAILED. */
int advice_status(const char *error_name);

/* Says on STREAM, in whole lines, what may be done next; CONTAINER may be NULL. Nothing if there is nothing to say. */
void advice_print(const char *error_name, const char *container, FILE *stream);
