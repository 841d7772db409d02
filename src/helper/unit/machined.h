/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * systemd-machined, when it runs: containers are registered there, so that machinectl, journalctl -M and nss-mymachines
 * know them. Without it, and whatever it answers, a container starts all the same.
 */
#pragma once

#include <sys/types.h>

/* Registers the container whose process 1 is leader. An entry of the same name that a guest left at its reboot is
 * removed first: machined keeps those as long as the unit is active. */
void machined_register(const char *name, const char *machine_id, pid_t leader);
