/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/launch/prelude.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "helper/unit/cgroup.h"
#include "helper/unit/systemctl.h"
#include "spec/dropin.h"

/* Whoever finds that systemd has to load its units anew does it for all that find so at that moment. */
#define RELOAD_LOCK "/run/berth/reload"

/* A link that systemd makes for a unit when it sets up its cgroup for a start. */
#define INVOCATIONS "/run/systemd/units/invocation:"

/* What the generator wrote for a unit. */
typedef enum Dropin {
        DROPIN_STALE, /* not what the definition says */
        DROPIN_NEW, /* what it says, but it came after the unit's cgroup, which may not have it */
        DROPIN_CURRENT,
} Dropin;

static bool is_earlier(const struct timespec *a, const struct timespec *b) {
        return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

/* A Dropin or a negative errno. */
static int unit_look(const char *unit, const char *expected) {
        _cleanup_free_ char *path = NULL, *link = NULL, *text = NULL;
        struct stat written, started;
        int r;

        if (asprintf(&path, DROPIN_DIRECTORY "/%s.d/" DROPIN_NAME, unit) < 0 ||
            asprintf(&link, INVOCATIONS "%s", unit) < 0)
                return -ENOMEM;

        r = file_read(AT_FDCWD, path, DROPIN_MAX, &text, NULL);
        if (r == -ENOENT)
                return *expected ? DROPIN_STALE : DROPIN_CURRENT;
        if (r < 0)
                return r;
        if (strcmp(text, expected) != 0)
                return DROPIN_STALE;
        if (stat(path, &written) < 0)
                return errno == ENOENT ? DROPIN_STALE : -errno;

        if (lstat(link, &started) < 0)
                return DROPIN_NEW;

        return is_earlier(&written.st_mtim, &started.st_mtim) ? DROPIN_CURRENT : DROPIN_NEW;
}

/* Until another launcher has had systemd load the units. The lock goes with the descriptor. */
static int reload_lock(int *ret_fd) {
        _cleanup_close_ int fd = -EBADF;

        fd = open(RELOAD_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
        if (fd < 0)
                return -errno;
        while (flock(fd, LOCK_EX) < 0)
                if (errno != EINTR)
                        return -errno;

        *ret_fd = TAKE_FD(fd);
        return 0;
}

static int unit_reload(Failure *failure, const char *unit, const char *expected) {
        _cleanup_close_ int lock = -EBADF;
        int r;

        r = reload_lock(&lock);
        if (r < 0)
                return failure_cause(failure, r, "cannot lock " RELOAD_LOCK ": %s", strerror(-r));
        r = unit_look(unit, expected);
        if (r != DROPIN_STALE)
                return r < 0 ? r : 0;

        r = systemctl_daemon_reload();
        if (r < 0)
                return failure_cause(
                                failure, r,
                                "the definition has changed, and systemctl daemon-reload failed");
        r = unit_look(unit, expected);
        if (r == DROPIN_STALE)
                return failure_cause(
                                failure, -ESTALE,
                                "berth-generator did not write what the definition says; see the "
                                "journal for its messages, unless somebody changes the definition all the time");

        return r < 0 ? r : 0;
}

int prelude_update_unit(Failure *failure, const Definition *definition, const DeviceNodes *devices) {
        _cleanup_free_ char *expected = NULL, *unit = NULL;
        int r;

        r = step_begin(failure, STEP_UNIT, "container@%s.service", definition->name);
        if (r < 0)
                return r;

        if (asprintf(&unit, "container@%s.service", definition->name) < 0)
                return -ENOMEM;
        r = dropin_properties(definition, devices, &expected);
        if (r < 0)
                return r;
        r = unit_look(unit, expected);
        if (r == DROPIN_STALE)
                r = unit_reload(failure, unit, expected);
        else if (r == DROPIN_CURRENT)
                return 0;
        if (r < 0)
                return r;

        r = systemctl_apply_limits(unit, "/" CGROUP_LAUNCH);
        if (r < 0)
                return failure_cause(
                                failure, r,
                                "the definition has changed, and systemd did not apply its limits");

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
        (void) snprintf(text, sizeof text, "EXTEND_TIMEOUT_USEC=%" PRIu64,
                        definition->delay_usec + START_TIMEOUT_USEC);
        r = notify_send(notify, text);
        if (r < 0)
                return r;

        while (nanosleep(&left, &left) < 0)
                if (errno != EINTR)
                        return -errno;

        return 0;
}
