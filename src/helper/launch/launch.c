/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order of a start. Each step is a few lines here and a function elsewhere; launch_steps() reads as the
 * table of contents. Before the clone everything that can fail for an ordinary reason is tried, so that a
 * start that fails early has touched nothing.
 *
 * Two processes: this one, with the host's rights in a mount namespace of its own, and the payload
 * (payload.c), cloned as a child of systemd directly into its cgroup and namespaces, which waits until all
 * of its mounts are made.
 */
#include "helper/launch/launch.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "helper/launch/handover.h"
#include "helper/launch/payload.h"
#include "helper/launch/state.h"
#include "helper/unit/journal.h"

static int launch_steps(Launch *launch, const char *name) {
        Failure *failure = &launch->failure;
        int r;

        r = launch_begin(launch, name);
        if (r < 0)
                return r;

        r = launch_hooks(launch, HOOK_PRE_MOUNT);
        if (r < 0)
                return r;
        r = root_open(failure, &launch->plan, &launch->root);
        if (r < 0)
                return r;
        r = root_lock(failure, &launch->plan, &launch->store, &launch->root);
        if (r < 0)
                return r;
        r = launch_prepare(launch);
        if (r < 0)
                return r;

        if (launch->plan.has_root) {
                r = step_begin(failure, STEP_CGROUP, CGROUP_PAYLOAD "/");
                if (r < 0)
                        return r;
                r = cgroup_delegate(&launch->cgroup, launch->plan.owner_uid, launch->plan.owner_gid);
                if (r < 0)
                        return r;
        }

        r = launch_clone(launch);
        if (r < 0)
                return r;
        r = step_begin(failure, STEP_MAIN_PROCESS, "%s", "");
        if (r < 0)
                return r;
        r = fd_store_commit_locks(&launch->store, &launch->notify);
        if (r < 0)
                return r;
        r = handover_main_process(&launch->notify, launch->pid, &launch->barrier);
        if (r < 0)
                return r;

        r = launch_map_ids(launch);
        if (r < 0)
                return r;
        r = launch_mount(launch);
        if (r < 0)
                return r;
        r = launch_release(launch);
        if (r < 0)
                return r;

        return launch_hand_over(launch);
}

/* The one sentence, in the journal and in the unit's status. The unit's fate is this process's own again:
 * the payload's end tells nothing. */
static void launch_report(Launch *launch, const char *name) {
        char sentence[1536], quoted[2 * sizeof sentence], status[sizeof quoted + 64];

        failure_sentence(&launch->failure, name, sentence, sizeof sentence);
        journal_print(LOG_ERR, launch->plan.kind, name, sentence);
        (void) notify_quote(sentence, quoted, sizeof quoted);
        (void) snprintf(status, sizeof status, "MAINPID=%d\nSTATUS=%s\nERRNO=%d", (int) getpid(), quoted,
                        launch->failure.error);
        (void) notify_send(&launch->notify, status);
}

static int launch_unit(UnitKind kind, const char *name) {
        _cleanup_(launch_done) Launch launch = LAUNCH_NULL;
        int barrier, r;

        launch.plan.kind = kind;
        r = notify_init(&launch.notify);
        if (r == 0)
                r = fd_store_receive(&launch.store);
        if (r == 0 && setgroups(0, NULL) < 0)
                r = -errno;
        (void) umask(0);

        if (r == 0)
                r = launch_steps(&launch, name);
        if (r == 0)
                return EXIT_SUCCESS;

        launch.failure.error = -r;
        launch_report(&launch, name);

        /* Only when systemd has read it may the processes end that it takes the unit's fate from. */
        if (notify_barrier_begin(&launch.notify, &barrier) == 0)
                (void) notify_barrier_wait(barrier, HANDOVER_TIMEOUT_MSEC);
        return PAYLOAD_EXIT_FAILED;
}

int launch(const char *name) {
        return launch_unit(UNIT_DEFINED, name);
}

int launch_transient(const char *name) {
        return launch_unit(UNIT_TRANSIENT, name);
}
