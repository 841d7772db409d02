/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The capabilities of a container's first process. Root inside has, after the exec, what the bounding set
 * holds, and whoever is not root only the ambient set. Until the exec the payload keeps what it was born
 * with, since the steps before it need that; the exec takes it away.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
        CAPABILITIES_E_MISSING =
                        1, /* one that is required is not in the bounding set that this process has */
};

/* Lowers the bounding set to KEEP, and empties the inheritable and ambient sets. Those in REQUIRED have to
 * be there: CAPABILITIES_E_MISSING and *RET_MISSING tell of one that is not. */
int capabilities_bound(uint64_t keep, uint64_t required, unsigned *ret_missing);

/* Before a change of user: what is permitted stays so. */
int capabilities_keep(void);

/* After it: what the exec of an ordinary program leaves. */
int capabilities_set_ambient(uint64_t set);

/* Those that this process may have in effect. */
int capabilities_permitted(uint64_t *ret);

/* No program that is executed from now on gives rights: no set-user-id bit, no file capabilities. */
int privileges_freeze(void);
