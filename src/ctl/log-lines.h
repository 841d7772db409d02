/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of a unit's log, as journalctl(1) gives it to the caller, with rights of the caller's only. Lines
 * are what guests print: they are escaped.
 */
#pragma once

/* Prints the last LINES lines that the unit logged. 0, or a negative errno when journalctl cannot be run;
 * that there is nothing, or nothing for the caller's eyes, is no error. */
int log_lines_print(const char *unit, const char *lines);
