/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The signals of containers' objects: InterfacesAdded, InterfacesRemoved, PropertiesChanged; and Progress.
 */
#pragma once

#include "manager/manager.h"

/* A container's object path; the caller frees it. 0 or -ENOMEM. */
int container_path(const Container *container, char **ret);

void announce_added(Manager *manager, const Container *container);
void announce_removed(Manager *manager, const Container *container);

/* What differs between OLD and now. */
void announce_changes(Manager *manager, const Container *container, const ContainerFacts *old);

/* The definition says something else, or may. */
void announce_definition(Manager *manager, const Container *container);

/* MESSAGE may be "". */
void announce_progress(
                Manager *manager, const char *name, uint64_t done, uint64_t total, const char *message);
