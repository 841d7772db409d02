/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/bus/errors.h"

#include <errno.h>

#include "basic/macro.h"
#include "basic/string.h"
#include "spec/helper-interface.h"
#include "spec/unit.h"

static const struct {
        const char *from;
        const char *to;
} names[] = {
        {HELPER_ERROR_EXISTS,              ERROR_CONTAINER_EXISTS      },
        { HELPER_ERROR_BUSY,               ERROR_BUSY                  },
        { HELPER_ERROR_NOT_FOUND,          SD_BUS_ERROR_NOT_SUPPORTED  },
        { HELPER_ERROR_NOT_RUNNING,        ERROR_NOT_RUNNING           },
        { HELPER_ERROR_RUNNING,            ERROR_ALREADY_RUNNING       },
        { HELPER_ERROR_INVALID_DEFINITION, ERROR_INVALID_DEFINITION    },
        { HELPER_ERROR_POLICY,             ERROR_POLICY_VIOLATION      },
        { HELPER_ERROR_DATA,               ERROR_DATA_REFUSED          },
        { HELPER_ERROR_NO_PROPERTY,        ERROR_NO_SUCH_PROPERTY      },
        { HELPER_ERROR_SYSTEMD,            ERROR_FAILED                },
        { HELPER_ERROR_FAILED,             ERROR_FAILED                },
        { SD_BUS_ERROR_INVALID_ARGS,       SD_BUS_ERROR_INVALID_ARGS   },
        { SD_BUS_ERROR_LIMITS_EXCEEDED,    SD_BUS_ERROR_LIMITS_EXCEEDED},
        { SD_BUS_ERROR_NOT_SUPPORTED,      SD_BUS_ERROR_NOT_SUPPORTED  },
};

void error_from_helper(const sd_bus_error *helper, sd_bus_error *ret) {
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (helper && helper->name && streq(helper->name, names[i].from)) {
                        (void) sd_bus_error_set(ret, names[i].to, helper->message);
                        return;
                }

        (void) sd_bus_error_setf(
                        ret, ERROR_HELPER_LOST,
                        "The privileged helper gave no answer (%s); see journalctl -u "
                        "berth-helper.service",
                        helper && helper->message ? helper->message : "no answer");
}

const char *quoted(const char *word, char buffer[static QUOTED_SIZE]) {
        (void) string_escape_to(word, buffer, QUOTED_SIZE);
        return buffer;
}

const char *error_of_start(int status_errno) {
        static const struct {
                int number;
                const char *name;
        } starts[] = {
                {START_ERRNO_INVALID_DEFINITION, ERROR_INVALID_DEFINITION},
                { START_ERRNO_POLICY,            ERROR_POLICY_VIOLATION  },
                { START_ERRNO_ROOT_IN_USE,       ERROR_ROOT_IN_USE       },
        };

        for (size_t i = 0; i < ELEMENTSOF(starts); i++)
                if (status_errno == starts[i].number)
                        return starts[i].name;

        return ERROR_START_FAILED;
}
