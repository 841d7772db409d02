/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Freezing and thawing behind the manager's back: systemd 252 does not announce FreezerState, so the kernel
 * is listened to (cgroup.events, cgroups(7)), and systemd then asked.
 */
#pragma once

#include "manager/manager.h"

/* Begins to listen when the container's control group is known, ends when it is not. */
void freezer_follow(Manager *manager, Container *container);

void freezer_forget(Container *container);
