/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Following systemd: which units of containers there are and what becomes of them, from its signals. systemd
 * is asked for single properties only, and only when the manager starts or systemd itself was started anew:
 * afterwards its signals carry all that changes. (GetAll on a unit makes it open some 300 files;
 * org.freedesktop.systemd1(5).)
 */
#pragma once

#include "manager/manager.h"

/* Begins to follow; manager_ready() is called when everything is known. 0 or negative errno. */
int units_new(Manager *manager, Units **ret);

Units *units_free(Units *units);
DEFINE_CLEANUP(Units *, units_free)

/* Asks for all units again, since one may have been passed over. */
void units_look_again(Units *units);

typedef void (*UnitsCallback)(const char *container, void *userdata);

/* Asks for FreezerState, which not every systemd announces. CALLBACK may be NULL. 0 or negative errno: then
 * it is not called. */
int units_fetch_freezer_state(
                Units *units, const Container *container, UnitsCallback callback, void *userdata);

/* Asks systemd for the control group of a container's unit, which it does not announce; CALLBACK is called
 * when the container has it, or cannot have it; not when UNITS is freed before. 0 or negative errno: then it
 * is not called. */
int units_fetch_control_group(
                Units *units, const Container *container, UnitsCallback callback, void *userdata);
