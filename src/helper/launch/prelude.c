/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/launch/prelude.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "helper/unit/cgroup.h"
#include "helper/unit/systemctl.h"
#include "spec/dropin.h"

/* 1 if the unit has what the definition says, 0 if not. */
static int unit_is_current(const Definition *definition, const char *expected) {
        _cleanup_free_ char *path = NULL, *text = NULL;
        int r;

        if (asprintf(&path, DROPIN_DIRECTORY "/container@%s.service.d/" DROPIN_NAME, definition->name) < 0)
                return -ENOMEM;

        r = file_read(AT_FDCWD, path, DROPIN_MAX, &text, NULL);
        if (r == -ENOENT)
                return !*expected;
        if (r < 0)
                return r;

        return strcmp(text, expected) == 0;
}

int prelude_update_unit(Failure *failure, const Definition *definition, const DeviceNodes *devices) {
        _cleanup_free_ char *expected = NULL, *unit = NULL;
        int r;

        r = step_begin(failure, STEP_UNIT, "container@%s.service", definition->name);
        if (r < 0)
                return r;

        r = dropin_properties(definition, devices, &expected);
        if (r < 0)
                return r;
        r = unit_is_current(definition, expected);
        if (r != 0)
                return r < 0 ? r : 0;

        r = systemctl_daemon_reload();
        if (r < 0)
                return failure_cause(failure, r, "the definition has changed, and systemctl daemon-reload failed");
        r = unit_is_current(definition, expected);
        if (r < 0)
                return r;
        if (r == 0)
                return failure_cause(failure, -ESTALE, "berth-generator did not write what the definition says; see the "
                                                       "journal for its messages");

        if (asprintf(&unit, "container@%s.service", definition->name) < 0)
                return -ENOMEM;
        r = systemctl_apply_limits(unit, "/" CGROUP_LAUNCH);
        if (r < 0)
                return failure_cause(failure, r, "the definition has changed, and systemd did not apply its limits");

        return 0;
}

int prelude_delay(Failure *failure, const Definition *definition, const Notify *notify) {
        struct timespec left = {
                .tv_sec = (time_t) (definition->delay_usec / 1000000),
                .tv_nsec = (long) (definition->delay_usec % 1000000) * 1000,
        };
        bool booting;
        char text[64];
        int r;

        if (definition->delay_usec == 0)
                return 0;

        r = step_begin(failure, STEP_DELAY, "%s", "");
        if (r < 0)
                return r;
        r = systemctl_is_booting(&booting);
        if (r < 0 || !booting)
                return r;

        /* The wait does not count against TimeoutStartSec=. */
        (void) snprintf(text, sizeof text, "EXTEND_TIMEOUT_USEC=%" PRIu64, definition->delay_usec + START_TIMEOUT_USEC);
        r = notify_send(notify, text);
        if (r < 0)
                return r;

        while (nanosleep(&left, &left) < 0)
                if (errno != EINTR)
                        return -errno;

        return 0;
}
