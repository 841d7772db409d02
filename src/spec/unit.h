/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The names of containers' units, and what a launcher tells in its notifications beyond systemd's own protocol.
 */
#pragma once

#include <stddef.h>

typedef enum UnitKind {
        UNIT_DEFINED,   /* container@NAME.service: it has a definition on the host */
        UNIT_TRANSIENT, /* container-run-NAME.service: made for one run, gone when it stops */
        _UNIT_KIND_N,
} UnitKind;

#define UNIT_NAME_SIZE 96 /* bytes that the longest unit name needs, with its end */

/* The unit of a container with a valid name. */
void unit_name(UnitKind kind, const char *container, char ret[static UNIT_NAME_SIZE]);

/* The container that a unit is of: 0, or -EINVAL when it is no unit of a container or the name breaks the rule of
 * spec/name.h. RET_NAME has SIZE bytes; NAME_MAX_LENGTH + 1 are enough. */
int unit_name_parse(const char *unit, UnitKind *ret_kind, char *ret_name, size_t size);

/* ERRNO= of a failed start, where a caller has to tell these causes from others without comparing words. No system call
 * of a start fails with one of them. */
#define START_ERRNO_INVALID_DEFINITION EBFONT
#define START_ERRNO_POLICY EKEYREJECTED
#define START_ERRNO_ROOT_IN_USE EADDRINUSE
