/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The devices of [Device]: found on the host once, before the unit's properties are compared; made as nodes in the
 * container's /dev by the launcher, since the kernel lets nobody in a user namespace make one; and given to their
 * owners by the payload, which alone reads the guest's list of users.
 */
#pragma once

#include "helper/launch/failure.h"
#include "helper/launch/plan.h"
#include "spec/devices.h"

int devices_find(Failure *failure, const Definition *definition, DeviceNodes *ret);

/* Makes the nodes in the file system that becomes /dev. Owners that are named by number have them from here on. */
int devices_make(Failure *failure, const LaunchPlan *plan, int dev);

/* Owners that have a name, for the payload in the container's root. */
int devices_set_owners(Failure *failure, const LaunchPlan *plan);
