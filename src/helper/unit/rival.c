/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/unit/rival.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LINKS "/run/systemd/units/invocation:"

int unit_find_rival(UnitKind kind, const char *container, char ret_unit[static UNIT_NAME_SIZE]) {
        char unit[UNIT_NAME_SIZE], path[sizeof LINKS + UNIT_NAME_SIZE];
        struct stat st;

        unit_name(kind == UNIT_DEFINED ? UNIT_TRANSIENT : UNIT_DEFINED, container, unit);
        (void) snprintf(path, sizeof path, LINKS "%s", unit);
        if (lstat(path, &st) < 0)
                return 0;

        memcpy(ret_unit, unit, sizeof unit);
        return 1;
}
