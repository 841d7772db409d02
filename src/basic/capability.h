/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Capabilities by their names, as capabilities(7) has them, and sets of them: bit i is capability number i.
 */
#pragma once

#include <stdint.h>

/* Also what this program has no name for: newer kernels have more. */
#define CAPABILITIES_ALL UINT64_MAX

#define CAPABILITY_BIT(capability) (UINT64_C(1) << (capability))

/* The number of CAP_NAME, or -EINVAL. */
int capability_from_name(const char *name);

/* NULL if the number has none. */
const char *capability_name(unsigned capability);
