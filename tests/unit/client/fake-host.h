/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the fake service says of itself, and what systemd on its bus does with files of units. */
#pragma once

#include <systemd/sd-bus.h>

int on_reload(sd_bus_message *m);
int on_manager_property(sd_bus_message *m);
int on_unit_files(sd_bus_message *m);
