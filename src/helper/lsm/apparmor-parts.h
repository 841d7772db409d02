/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files that generated profiles are made of: those of berth, and the administrator's. One in /etc counts
 * in place of one of the same name in /run, and that in place of berth's; a link to /dev/null takes it away.
 */
#pragma once

#include <stddef.h>

#include "helper/launch/failure.h"
#include "spec/load.h"
#include "spec/lsm.h"

#define APPARMOR_PARTS_MAX 256

typedef struct ApparmorPart {
        char *name;  /* of the file */
        char *label; /* its path */
        char *text;
} ApparmorPart;

typedef struct ApparmorParts {
        ApparmorPart *list; /* by name */
        size_t n;
} ApparmorParts;

#define APPARMOR_PARTS_NULL ((ApparmorParts){})

void apparmor_parts_clear(ApparmorParts *parts);

/* Reads all of them; one that others than root can write is refused. */
int apparmor_parts_read(
                Failure *failure,
                const DefinitionSources *sources,
                const char *const *directories,
                ApparmorParts *ret);
