/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Device nodes. Nobody in a user namespace can make any: where this host is itself a container, one that it was
 * given is mounted in its place.
 */
#pragma once

#include <sys/types.h>

#include "helper/launch/plan.h"

/* A node in a file system for the container's /dev, under the same name as here. 1 when it is this host's own, with
 * its owner and mode; -ENODEV in a container whose /dev does not have this very one. */
int node_make(const LaunchPlan *plan, int dev, const char *name, mode_t mode, dev_t number);
