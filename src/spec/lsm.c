/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/lsm.h"

#include <stddef.h>
#include <string.h>

#define NAME_SIZE_MAX 255

const char *const apparmor_directories[] = {
        "/etc/berth/apparmor.d",
        "/run/berth/apparmor.d",
        BERTH_APPARMORDIR,
        NULL,
};

bool apparmor_name_is_valid(const char *name) {
        if (!name[0] || strlen(name) > NAME_SIZE_MAX || name[0] == '-')
                return false;
        for (const char *p = name; *p; p++)
                if (*p <= ' ' || *p > '~' || strchr("\"\\", *p))
                        return false;

        return true;
}

bool apparmor_rule_is_closed(const char *rule) {
        int depth = 0;

        for (const char *p = rule; *p; p++) {
                if (*p == '\\' && p[1])
                        p++;
                else if (*p == '{')
                        depth++;
                else if (*p == '}' && --depth < 0)
                        return false;
        }

        return depth == 0;
}

bool selinux_context_is_valid(const char *context) {
        unsigned colons = 0;

        if (strlen(context) > NAME_SIZE_MAX)
                return false;
        for (const char *p = context; *p; p++) {
                if (*p == ':' && (p == context || p[1] == ':' || !p[1]))
                        return false;
                if (*p == ':')
                        colons++;
                else if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                           (*p >= '0' && *p <= '9') || *p == '_' || *p == '-' || *p == '.' ||
                           (colons >= 3 && *p == ',')))
                        return false;
        }

        return colons >= 2 && colons <= 4;
}
