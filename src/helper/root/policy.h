/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * /sys/kernel/security/apparmor, where a container that has a policy namespace and the right to fill it
 * loads its profiles. What the kernel shows there is the namespace of whoever looks, but for the tree that
 * the link "policy" leads into, which is hidden. Of the host's securityfs nothing else comes along.
 */
#pragma once

#include "helper/launch/failure.h"
#include "helper/launch/plan.h"

/* Does nothing for other containers. SYS is the container's /sys, attached already. */
int policy_mount(Failure *failure, const LaunchPlan *plan, int stage, int sys);
