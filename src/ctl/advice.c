/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See advice.h. A row that ends with the container's name says nothing when there is none to be named.
 */
#include <string.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "ctl/advice.h"
#include "ctl/settings.h"
#include "ctl/verb.h"

#define ERROR "org.berth.container1.Error."
#define DBUS_ERROR "org.freedesktop.DBus.Error."

typedef struct Advice {
        const char *error;
        ExitStatus status;
        const char *before, *after; /* around the container's name; AFTER NULL: no name in it */
} Advice;

/* clang-format off */
static const Advice advices[] = {
        { ERROR "NoSuchContainer",   STATUS_NO_CONTAINER,  "berthctl list shows the containers that there are", NULL },
        { ERROR "NotRunning",        STATUS_NOT_RUNNING,   "start it: berthctl start ", "" },
        { ERROR "StartFailed",       STATUS_FAILED,        "see: berthctl status ", "" },
        { ERROR "TimedOut",          STATUS_FAILED,        "see: berthctl logs ", "" },
        { ERROR "ContainerExists",   STATUS_FAILED,        "take another name, or: berthctl remove ", "" },
        { ERROR "InvalidName",       STATUS_USAGE,         NULL, NULL },
        { ERROR "InvalidDefinition", STATUS_FAILED,        "berth.container(5) has the keys and their values", NULL },
        { ERROR "PolicyViolation",   STATUS_FAILED,        "root may allow it by a file in /etc/berth/containers", NULL },
        { ERROR "HelperLost",        STATUS_FAILED,        "see what became of it: berthctl status ", "" },
        { ERROR "NoSuchProperty",    STATUS_FAILED,        "berth.container(5), [Resources], has those that there are", NULL },
        { DBUS_ERROR "AccessDenied", STATUS_NOT_PERMITTED, "try it as root, or ask root for a polkit rule", NULL },
        { DBUS_ERROR "AuthFailed",   STATUS_NOT_PERMITTED, NULL, NULL },
        { DBUS_ERROR "InteractiveAuthorizationRequired", STATUS_NOT_PERMITTED,
          "it needs a password: try it on a terminal, as root, or where a polkit agent runs", NULL },
        { DBUS_ERROR "ServiceUnknown", STATUS_FAILED,      "is berth installed there? systemctl status berth-manager", NULL },
        { DBUS_ERROR "NameHasNoOwner", STATUS_FAILED,      "see: systemctl status berth-manager", NULL },
        { DBUS_ERROR "NoReply",      STATUS_FAILED,        "see: journalctl -u berth-manager", NULL },
        { DBUS_ERROR "InvalidArgs",  STATUS_USAGE,         NULL, NULL },
};
/* clang-format on */

static const Advice *find(const char *error_name) {
        for (size_t i = 0; error_name && i < ELEMENTSOF(advices); i++)
                if (streq(advices[i].error, error_name))
                        return advices + i;

        return NULL;
}

int advice_status(const char *error_name) {
        const Advice *advice = find(error_name);

        return advice ? (int) advice->status : STATUS_FAILED;
}

/* What would be typed here has to say again where it is meant for. */
static void print_words(const char *words, FILE *stream) {
        const char *option = settings.host ? "-H" : "-M", *there = settings.host ?: settings.machine, *verb;
        _cleanup_free_ char *shown = there ? string_escape_unprintable(there) : NULL;

        verb = there ? strstr(words, "berthctl ") : NULL;
        if (!verb) {
                fputs(words, stream);
                return;
        }

        verb += strlen("berthctl ");
        fprintf(stream, "%.*s%s %s %s", (int) (verb - words), words, option, shown ?: "?", verb);
}

/* What is another thing to do for another host; false if there is no such. */
static bool print_for_host(const char *error_name, FILE *stream) {
        _cleanup_free_ char *ssh = settings_ssh();

        if (!ssh)
                return false;

        if (streq_null(error_name, DBUS_ERROR "NotSupported"))
                fprintf(stream, "descriptors do not go over ssh; do it there: %s\n", ssh);
        else if (advice_status(error_name) == STATUS_NOT_PERMITTED)
                fputs("nobody is asked for a password over there: try it as root@ that host, or ask its "
                      "root for a polkit rule\n",
                      stream);
        else
                return false;

        return true;
}

void advice_print(const char *error_name, const char *container, FILE *stream) {
        const Advice *advice = find(error_name);
        _cleanup_free_ char *shown = container ? string_escape_unprintable(container) : NULL;

        if (print_for_host(error_name, stream))
                return;
        if (!advice || !advice->before || (advice->after && !shown))
                return;

        print_words(advice->before, stream);
        fprintf(stream, "%s%s\n", advice->after ? shown : "", advice->after ?: "");
}
