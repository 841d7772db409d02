/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `berth-helper stop NAME`: what a container's unit runs first when it is stopped (ExecStop=). Sends the guest the
 * signal that its kind takes as a request to power off. systemd then sends its own (KillSignal=SIGRTMIN+3, systemd's),
 * waits for TimeoutStopSec=, and kills what is left.
 */
#pragma once

/* Returns the exit status. */
int stop(const char *name);
