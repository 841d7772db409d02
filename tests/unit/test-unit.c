/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of containers' units: what is composed is understood again, and nothing else is taken for one.
 */
#include <errno.h>
#include <string.h>

#include "spec/limits.h"
#include "spec/unit.h"

#include "test.h"

static void test_composed(void) {
        static const char longest[] = "a23456789012345678901234567890123456789012345678901234567890123";
        char unit[UNIT_NAME_SIZE], name[NAME_MAX_LENGTH + 1];
        UnitKind kind;

        unit_name(UNIT_DEFINED, "web", unit);
        CHECK_STR(unit, "container@web.service");
        unit_name(UNIT_TRANSIENT, "a.b-c", unit);
        CHECK_STR(unit, "container-run-a.b-c.service");
        CHECK_INT(unit_name_parse(unit, &kind, name, sizeof name), 0);
        CHECK_INT(kind, UNIT_TRANSIENT);
        CHECK_STR(name, "a.b-c");

        REQUIRE(strlen(longest) == NAME_MAX_LENGTH);
        for (UnitKind k = 0; k < _UNIT_KIND_N; k++) {
                unit_name(k, longest, unit);
                CHECK_INT(unit_name_parse(unit, &kind, name, sizeof name), 0);
                CHECK_INT(kind, k);
                CHECK_STR(name, longest);
        }
}

static void test_others(void) {
        static const char *const units[] = {
                "", ".service", "container@.service", "container-run-.service", "container@web", "container@web.scope",
                "container@../x.service", "container@web\n.service", "container@Web.service", "xcontainer@web.service",
                "container@a@b.service", "container@-.service", "container@web.service.service.d",
                "container@a234567890123456789012345678901234567890123456789012345678901234.service",
        };
        char name[NAME_MAX_LENGTH + 1];
        UnitKind kind;

        for (size_t i = 0; i < ELEMENTSOF(units); i++)
                CHECK_INT(unit_name_parse(units[i], &kind, name, sizeof name), -EINVAL);

        CHECK_INT(unit_name_parse("container@web.service", &kind, name, 3), -EINVAL);
}

TESTS(test_composed, test_others)
