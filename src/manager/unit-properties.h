/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The properties of systemd's units that a container's state is made of, org.freedesktop.systemd1(5).
 */
#pragma once

#include <systemd/sd-bus.h>

#include "manager/container.h"

typedef struct UnitProperty {
        const char *interface;
        const char *name;
} UnitProperty;

extern const UnitProperty unit_properties[];
extern const size_t n_unit_properties;

/* Those that systemd does not announce, or not always. */
extern const UnitProperty unit_property_freezer_state;
extern const UnitProperty unit_property_control_group;

/* Reads a variant into the property's field; a name that is not in the table is passed over. 1 if it was in
 * the table, 0 if not, or negative errno. */
int unit_property_read(UnitState *unit, const char *name, sd_bus_message *message);

/* Reads the a{sv} of PropertiesChanged. 1 if something of it was in the table, 0, or negative errno. */
int unit_properties_read(UnitState *unit, sd_bus_message *message);
