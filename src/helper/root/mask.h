/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Parts of /proc and /sys that are hidden, read-only or left as the kernel has them: by default, and by
 * MaskPaths= and UnmaskPaths=. What covers them is berth's own, from the stage or a copy of the part itself,
 * and never of the container's tree; the targets are opened beneath the mounts' descriptors, on the kernel's
 * file systems, where nobody can place a link.
 */
#pragma once

#include "helper/launch/failure.h"
#include "helper/launch/plan.h"

/* Both are for the new mount, which is attached already. */
int mask_proc(Failure *failure, const LaunchPlan *plan, int stage, int proc);
int mask_sys(Failure *failure, const LaunchPlan *plan, int stage, int sys);
