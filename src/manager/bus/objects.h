/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The D-Bus objects: /org/berth/container1 and one for each container beneath it.
 */
#pragma once

#include "manager/manager.h"

int manager_object_add(Manager *manager);
int container_objects_add(Manager *manager);
