/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/unit-properties.h"

#include <errno.h>

#include "basic/macro.h"
#include "basic/string.h"

#define UNIT "org.freedesktop.systemd1.Unit"
#define SERVICE "org.freedesktop.systemd1.Service"

const UnitProperty unit_properties[] = {
        {UNIT,     "ActiveState"         },
        { UNIT,    "FreezerState"        },
        { UNIT,    "ActiveEnterTimestamp"},
        { SERVICE, "MainPID"             },
        { SERVICE, "Result"              },
        { SERVICE, "StatusText"          },
        { SERVICE, "StatusErrno"         },
        { SERVICE, "ExecMainCode"        },
        { SERVICE, "ExecMainStatus"      },
};
const size_t n_unit_properties = ELEMENTSOF(unit_properties);

const UnitProperty unit_property_freezer_state = { UNIT, "FreezerState" };
const UnitProperty unit_property_control_group = { SERVICE, "ControlGroup" };

/* Where a property goes, and its type in D-Bus. */
static const struct {
        const char *name;
        char type;
        size_t offset;
} fields[] = {
        {"ActiveState",           's', offsetof(UnitState, active)       },
        { "FreezerState",         's', offsetof(UnitState, freezer)      },
        { "ActiveEnterTimestamp", 't', offsetof(UnitState, started_usec) },
        { "MainPID",              'u', offsetof(UnitState, main_pid)     },
        { "Result",               's', offsetof(UnitState, result)       },
        { "StatusText",           's', offsetof(UnitState, status_text)  },
        { "StatusErrno",          'i', offsetof(UnitState, status_errno) },
        { "ExecMainCode",         'i', offsetof(UnitState, exit_code)    },
        { "ExecMainStatus",       'i', offsetof(UnitState, exit_status)  },
        { "ControlGroup",         's', offsetof(UnitState, control_group)},
};

static int read_string(char **field, sd_bus_message *message) {
        const char *text;
        int r;

        r = sd_bus_message_read(message, "v", "s", &text);
        if (r < 0)
                return r;

        return string_set(field, *text ? text : NULL);
}

int unit_property_read(UnitState *unit, const char *name, sd_bus_message *message) {
        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                const char signature[] = { fields[i].type, '\0' };
                void *field = (char *) unit + fields[i].offset;
                int r;

                if (!streq(name, fields[i].name))
                        continue;

                r = fields[i].type == 's' ? read_string(field, message)
                                          : sd_bus_message_read(message, "v", signature, field);
                return r < 0 ? r : 1;
        }

        return 0;
}

int unit_properties_read(UnitState *unit, sd_bus_message *message) {
        int found = 0, r;

        r = sd_bus_message_enter_container(message, 'a', "{sv}");
        if (r < 0)
                return r;

        for (;;) {
                const char *name;

                r = sd_bus_message_enter_container(message, 'e', "sv");
                if (r < 0)
                        return r;
                if (r == 0)
                        break;
                r = sd_bus_message_read(message, "s", &name);
                if (r < 0)
                        return r;
                r = unit_property_read(unit, name, message);
                if (r < 0)
                        return r;
                found |= r;
                if (r == 0)
                        r = sd_bus_message_skip(message, "v");
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(message);
                if (r < 0)
                        return r;
        }

        r = sd_bus_message_exit_container(message);
        return r < 0 ? r : found;
}
