/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All containers that the manager knows, sorted by name. The registry owns them.
 */
#pragma once

#include "manager/container.h"

typedef struct Registry {
        Container **containers;
        size_t n;
} Registry;

void registry_done(Registry *registry);

Container *registry_find(const Registry *registry, const char *name);

/* A new container of a valid NAME that is not there yet. 0 or -ENOMEM. */
int registry_add(Registry *registry, const char *name, UnitKind kind, Container **ret);

void registry_remove(Registry *registry, Container *container);
