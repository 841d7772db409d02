/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The definition's [Mount] sections, made in their order. Their restrictions are locked like everything else that the
 * launcher mounts.
 */
#pragma once

#include "helper/launch/failure.h"
#include "helper/launch/plan.h"

/* user_namespace is the payload's, for IDMap=yes; -EBADF without one. */
int extra_mounts(Failure *failure, const LaunchPlan *plan, int root_fd, int user_namespace);
