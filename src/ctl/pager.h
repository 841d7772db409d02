/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pager, as systemctl(1) has it: $SYSTEMD_PAGER, $PAGER, less, more; none when stdout is no terminal, with
 * --no-pager and --json, or when the variable is empty or "cat". less runs with FRSXMK, or $SYSTEMD_LESS.
 */
#pragma once

/* From here on what is written to stdout goes to the pager. */
void pager_open(void);

/* Waits until the user has seen all. Nothing may be printed afterwards. Does nothing without a pager. */
void pager_close(void);
