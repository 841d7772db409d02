/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/bus/members.h"

#include "basic/macro.h"
#include "basic/string.h"

#define MANAGE "manage-own", "manage"

/* clang-format off */
const Member members[] = {
        { "Manager",   "ListContainers",    NULL,         NULL,         NULL },
        { "Manager",   "GetContainer",      NULL,         NULL,         NULL },
        { "Manager",   "GetContainerByPID", NULL,         NULL,         NULL },
        { "Manager",   "CreateContainer",   "create",     MANAGE },
        { "Manager",   "RunContainer",      "run",        "run",        "manage" },
        { "Manager",   "StartContainer",    "start",      MANAGE },
        { "Manager",   "StopContainer",     "stop",       MANAGE },
        { "Manager",   "RestartContainer",  "restart",    MANAGE },
        { "Manager",   "RemoveContainer",   "remove",     MANAGE },
        { "Manager",   "KillContainer",     "kill",       MANAGE },
        { "Manager",   "Reload",            "reload",     "manage",     "manage" },
        { "Container", "Start",             "start",      MANAGE },
        { "Container", "Stop",              "stop",       MANAGE },
        { "Container", "Restart",           "restart",    MANAGE },
        { "Container", "Remove",            "remove",     MANAGE },
        { "Container", "Kill",              "kill",       MANAGE },
        { "Container", "OpenConsole",       "console",    "manage-own", "console" },
        { "Container", "Freeze",            "freeze",     MANAGE },
        { "Container", "Thaw",              "thaw",       MANAGE },
        { "Container", "SetProperties",     "set-limits", "manage-own", "set-limits" },
        { "Container", "OpenRoot",          "open-root",  MANAGE },
};
/* clang-format on */
const size_t n_members = ELEMENTSOF(members);

const Member *member_of_verb(const char *verb) {
        for (size_t i = 0; i < n_members; i++)
                if (streq_null(members[i].verb, verb))
                        return &members[i];

        return NULL;
}
