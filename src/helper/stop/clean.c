/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/stop/clean.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "basic/cleanup.h"
#include "basic/notify.h"
#include "basic/string.h"
#include "helper/launch/handover.h"
#include "helper/launch/store.h"
#include "helper/store/data.h"
#include "helper/store/make.h"
#include "helper/unit/journal.h"
#include "helper/unit/systemctl.h"
#include "spec/name.h"

CleanJob clean_parse_job(const char *line) {
        char type[16], state[16];

        /* ID UNIT TYPE STATE */
        if (sscanf(line, "%*u %*s %15s %15s", type, state) != 2)
                return CLEAN_JOB_NONE;
        /* A start that runs while ExecStopPost= does is ending, as its exit tells; one that waits is going to be. */
        if (streq(type, "start") && streq(state, "running"))
                return CLEAN_JOB_NONE;

        return streq(type, "stop") ? CLEAN_JOB_STOP : CLEAN_JOB_OTHER;
}

bool clean_is_over(CleanJob job, const char *exit_code, const char *exit_status) {
        switch (job) {
        case CLEAN_JOB_STOP:
                return true;
        case CLEAN_JOB_OTHER:
                return false;
        case CLEAN_JOB_NONE:
                break;
        }

        /* reboot(2) ends a container's process 1 with SIGHUP, and systemd starts the unit again. */
        return !exit_code || !exit_status || !streq(exit_code, "killed") || !streq(exit_status, "HUP");
}

static int clean_look_at_job(const char *name, CleanJob *ret) {
        _cleanup_free_ char *line = NULL;
        char unit[UNIT_NAME_SIZE];
        int r;

        unit_name(UNIT_TRANSIENT, name, unit);
        r = systemctl_find_job(unit, &line);
        if (r < 0)
                return r;

        *ret = clean_parse_job(line);
        return 0;
}

/* systemd would hold the locks of what is to be removed until this process has ended. */
static int clean_release_locks(void) {
        _cleanup_(notify_done) Notify notify = NOTIFY_NULL;
        int barrier = -EBADF, r;

        r = notify_init(&notify);
        if (r < 0)
                return r;
        r = notify_send(&notify, "FDSTOREREMOVE=1\nFDNAME=" STORE_LOCK_NAME);
        if (r < 0)
                return r;
        r = notify_barrier_begin(&notify, &barrier);

        return r < 0 ? r : notify_barrier_wait(barrier, HANDOVER_TIMEOUT_MSEC);
}

/* Is there something that belongs to this run, and is nobody going to need it? */
static int clean_is_due(const Store *store, const char *name, StoreError *error) {
        CleanJob job;
        int r;

        r = store_find_run(store, name);
        if (r < 0)
                return store_fail_errno(error, r, "Cannot look into %s", store_room_path(ROOM_DEFINITIONS));
        if (r == 0)
                return 0;
        r = store_has(store, ROOM_DEFINITIONS, name);
        if (r != 0)
                return r < 0 ? store_fail_errno(error, r, "Cannot look into %s", store_room_path(ROOM_DEFINITIONS)) : 0;

        r = clean_look_at_job(name, &job);
        if (r < 0)
                return store_fail_errno(error, r, "Cannot ask systemd for the unit's job");

        return clean_is_over(job, getenv("EXIT_CODE"), getenv("EXIT_STATUS"));
}

static int clean_end(const char *name, StoreError *error) {
        int r;

        r = clean_release_locks();
        if (r < 0)
                return store_fail_errno(error, r, "Cannot have systemd release the locks");

        return store_end_run(name, error);
}

int clean(const char *name) {
        _cleanup_(store_done) Store store = STORE_NULL;
        StoreError error;
        char line[sizeof error.sentence + 256], escaped[sizeof line];
        int r;

        if (!container_name_is_valid(name)) {
                (void) fprintf(stderr, "berth-helper: this is no container's name\n");
                return 2;
        }

        r = store_open(&error, &store);
        if (r >= 0)
                r = clean_is_due(&store, name, &error);
        if (r > 0)
                r = clean_end(name, &error);
        if (r >= 0)
                return EXIT_SUCCESS;

        (void) snprintf(line, sizeof line, "What the run of %s left is not removed yet: %s", name, error.sentence);
        (void) string_escape_to(line, escaped, sizeof escaped);
        journal_print(LOG_WARNING, UNIT_TRANSIENT, name, escaped);
        /* No failure of the unit: the container ended as it did. */
        return EXIT_SUCCESS;
}
