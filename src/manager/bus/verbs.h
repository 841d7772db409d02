/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What can be done with a container, for the methods of both interfaces. Each is a handler's second half: it
 * is run again after polkit's answer, so it checks, authorises, and only then acts; it returns what a
 * handler of sd-bus does.
 */
#pragma once

#include "manager/manager.h"

/* The container of a name that a caller gave. 0, or negative with the error set: InvalidName,
 * NoSuchContainer. */
int verb_find(Manager *manager, const char *name, Container **ret, sd_bus_error *error);

int verb_start(Manager *manager, Container *container, sd_bus_message *call, sd_bus_error *error);
int verb_stop(Manager *manager,
              Container *container,
              sd_bus_message *call,
              uint64_t timeout_usec,
              sd_bus_error *error);
int verb_restart(Manager *manager, Container *container, sd_bus_message *call, sd_bus_error *error);
int verb_kill(Manager *manager,
              Container *container,
              sd_bus_message *call,
              const char *whom,
              int32_t signal,
              sd_bus_error *error);
int verb_freeze(Manager *manager, Container *container, sd_bus_message *call, sd_bus_error *error);
int verb_thaw(Manager *manager, Container *container, sd_bus_message *call, sd_bus_error *error);
int verb_open_console(Manager *manager, Container *container, sd_bus_message *call, sd_bus_error *error);
int verb_open_root(Manager *manager, Container *container, sd_bus_message *call, sd_bus_error *error);
int verb_reload(Manager *manager, sd_bus_message *call, sd_bus_error *error);

/* The options of Remove stand next in CALL. */
int verb_remove(Manager *manager, Container *container, sd_bus_message *call, sd_bus_error *error);

/* The arguments of SetProperties stand next in CALL. */
int verb_set_properties(Manager *manager, Container *container, sd_bus_message *call, sd_bus_error *error);

/* The arguments of CreateContainer and RunContainer stand next in CALL. */
int verb_create(Manager *manager, sd_bus_message *call, sd_bus_error *error);
int verb_run(Manager *manager, sd_bus_message *call, sd_bus_error *error);

/* Asks polkit for VERB on a container of the host. 1: go on; else what the handler returns: 0 is 1 to
 * sd-bus. */
int verb_authorize(
                Manager *manager,
                sd_bus_message *call,
                const char *container,
                const char *verb,
                sd_bus_error *error);
