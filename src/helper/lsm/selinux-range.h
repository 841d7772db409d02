/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The range of a container: two categories out of 1024, of which no other container on this host has both.
 */
#pragma once

#include <stdint.h>

/* USER:ROLE:TYPE[:RANGE] with a range, of which two categories come from the container's ids: OWNER is the
 * host's id of its root, 0 if it has no ids of its own, when the name has to do. NULL when memory ran out;
 * the caller frees it. */
char *selinux_complete(const char *context, const char *name, uint32_t owner);
