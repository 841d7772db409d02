/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether the values of a definition fit together. Each key by itself was checked when it was read; here is
 * what only the whole can tell.
 */
#pragma once

#include <stdbool.h>

#include "spec/definition.h"
#include "spec/problems.h"

/* Adds what does not fit to PROBLEMS. 0 or -ENOMEM. */
int definition_check(const Definition *definition, Problems *problems);

/* May no [Mount] go there, because what is there is the container's own, and berth relies on it? */
bool mount_target_is_reserved(const char *target);
