/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What comes before the start proper and concerns the unit: its properties have to be those of the definition, and a
 * start at boot may have to wait.
 */
#pragma once

#include "basic/notify.h"
#include "helper/launch/failure.h"
#include "spec/devices.h"

#define START_TIMEOUT_USEC (UINT64_C(90) * 1000 * 1000) /* systemd's own, for a start without waits */

/* Compares the generated drop-in with the definition and its devices; has systemd reload its units if they differ, and
 * apply to this unit what it has loaded since the unit was about to start. -ESTALE if they differ even then. */
int prelude_update_unit(Failure *failure, const Definition *definition, const DeviceNodes *devices);

/* [Autostart] Delay=, while the host boots. */
int prelude_delay(Failure *failure, const Definition *definition, const Notify *notify);
