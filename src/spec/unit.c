/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "spec/limits.h"
#include "spec/name.h"

#define SUFFIX ".service"

static const char *const prefixes[_UNIT_KIND_N] = {
        [UNIT_DEFINED] = "container@",
        [UNIT_TRANSIENT] = "container-run-",
};

void unit_name(UnitKind kind, const char *container, char ret[static UNIT_NAME_SIZE]) {
        (void) snprintf(ret, UNIT_NAME_SIZE, "%s%s" SUFFIX, prefixes[kind], container);
}

int unit_name_parse(const char *unit, UnitKind *ret_kind, char *ret_name, size_t size) {
        size_t length = strlen(unit);

        if (length <= strlen(SUFFIX) || strcmp(unit + length - strlen(SUFFIX), SUFFIX) != 0)
                return -EINVAL;
        length -= strlen(SUFFIX);

        for (UnitKind kind = 0; kind < _UNIT_KIND_N; kind++) {
                size_t prefix = strlen(prefixes[kind]);
                char name[NAME_MAX_LENGTH + 1];

                if (strncmp(unit, prefixes[kind], prefix) != 0 || length <= prefix)
                        continue;
                length -= prefix;
                if (length >= sizeof name || length >= size)
                        return -EINVAL;
                memcpy(name, unit + prefix, length);
                name[length] = '\0';
                if (!container_name_is_valid(name))
                        return -EINVAL;

                *ret_kind = kind;
                memcpy(ret_name, name, length + 1);
                return 0;
        }

        return -EINVAL;
}
