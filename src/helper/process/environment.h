/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The environment of a container's first program: made from nothing. What systemd's container interface names, what a
 * login would set, and the definition's Environment=, which wins.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "helper/launch/plan.h"
#include "helper/process/user.h"

void environment_done(Environment *environment);

/* Sets or replaces a variable. */
int environment_set(Environment *environment, const char *name, const char *value);

/* Fills it: what is so for every container, then the user's, then the definition's. */
int environment_fill(Environment *environment, const LaunchPlan *plan, const User *user);

/* The host's /etc/os-release as container_host_id= and so on. Called before the host is out of sight. */
int environment_add_host(Environment *environment);
