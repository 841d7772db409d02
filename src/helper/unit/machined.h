/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * systemd-machined, when it runs: containers are registered there, so that machinectl, journalctl -M and nss-mymachines
 * know them. Without it, and whatever it answers, a container starts all the same.
 */
#pragma once

#include <sys/types.h>

#include "spec/unit.h"

/* Registers the container whose process 1 is leader. An entry that this unit's guest left at its reboot is
 * replaced: machined keeps those as long as the unit is active. A name that somebody else has stays theirs. */
void machined_register(UnitKind kind, const char *name, const char *machine_id, pid_t leader);
