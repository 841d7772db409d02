/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Resource limits of a container's first process: what the kernel gives a PID 1 (include/asm-generic/resource.h), not
 * what the unit or the host's manager happens to have, and on top of that the definition's Limit*= keys.
 */
#pragma once

#include <stddef.h>

#include "spec/definition.h"

/* In the launcher, which may: makes room above the present hard limits for those that are wanted, and changes nothing
 * else, so that it can go on working. *ret_failed is the RLIMIT_* that failed. */
int rlimits_raise(const Rlimit *limits, size_t n, int *ret_failed);

/* In the payload, as late as can be: sets all limits. A default that is above what this process may set is lowered to
 * that; a limit that the definition asks for is an error then. */
int rlimits_apply(const Rlimit *limits, size_t n, int *ret_failed);
