/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The hooks of a start. A hook that fails is the start's failure.
 *
 * The launcher has mounts of its own by then. After hooks that were run with the host's it takes a new copy
 * of those, so that it finds what they have mounted.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "helper/hooks/run.h"
#include "helper/launch/prelude.h"
#include "helper/launch/state.h"
#include "helper/root/stage.h"
#include "spec/hook.h"
#include "spec/limits.h"

#define HOST_MOUNTS "/proc/1/ns/mnt"

/* The time of a hook does not count against TimeoutStartSec=, unless anybody may have said how long it is.
 */
static int extend_start(const Launch *launch) {
        char text[64];

        if (!launch->definition->trusted)
                return 0;

        (void) snprintf(text, sizeof text, "EXTEND_TIMEOUT_USEC=%" PRIu64,
                        launch->definition->hook_timeout_usec + START_TIMEOUT_USEC);
        return notify_send(&launch->notify, text);
}

/* What hooks of this kind are told. */
static HookFacts facts_for(const Launch *launch, HookKind kind, char path[static HOOK_ROOT_SIZE]) {
        bool planned = launch->plan.machine_id[0], inside = kind == HOOK_START;
        HookFacts facts = {
                .definition = launch->definition,
                .kind = launch->plan.kind,
                .inside = inside,
                .root = inside ? NULL : hook_root_path(launch->definition, path),
                .pid = inside               ? 1
                       : kind == HOOK_MOUNT ? 0
                                            : launch->pid,
                .ids = planned && !inside ? &launch->plan.ids : NULL,
                .machine_id = planned ? launch->plan.machine_id : NULL,
        };

        if (kind == HOOK_AUTODEV)
                facts.mount = STAGE_PATH "/" STAGE_AUTODEV;
        else if (kind == HOOK_MOUNT)
                facts.mount = STAGE_PATH "/" STAGE_ROOT;
        else if (kind == HOOK_START)
                facts.mount = "/";

        return facts;
}

int launch_hooks(Launch *launch, HookKind kind) {
        const HookList *list = launch->definition->hooks + kind;
        _cleanup_close_ int mounts = -EBADF;
        char path[HOOK_ROOT_SIZE], cause[HOOK_CAUSE_SIZE];
        const HookInside inside = {
                .plan = &launch->plan,
                .pidfd = launch->pidfd,
                .guest = kind == HOOK_START,
                .seccomp = &launch->seccomp,
                .lsm = &launch->lsm,
        };
        HookPlace place = { .unit = launch->cgroup.unit };
        HookFacts facts;
        int r;

        if (list->n == 0)
                return 0;

        facts = facts_for(launch, kind, path);
        if (kind == HOOK_MOUNT || kind == HOOK_START)
                place.inside = &inside;
        /* What people put the host in order with has the host's own mounts. To the others the launcher's
         * belong, where what they mount is nobody else's. */
        if (kind == HOOK_PRE_START || kind == HOOK_START_HOST) {
                mounts = open(HOST_MOUNTS, O_RDONLY | O_CLOEXEC);
                if (mounts < 0)
                        return -errno;
        }
        place.mounts = mounts;
        if (kind == HOOK_START_HOST || kind == HOOK_START)
                place.held = launch->pid;

        for (size_t i = 0; i < list->n; i++) {
                r = step_begin(&launch->failure, STEP_HOOK, "%s=%s", hook_key(kind), list->commands[i][0]);
                if (r < 0)
                        return r;
                r = extend_start(launch);
                if (r < 0)
                        return r;
                r = hook_run(&facts, kind, i, &place, cause);
                if (r < 0)
                        return cause[0] ? failure_cause(&launch->failure, r, "%s", cause) : r;
        }

        return 0;
}

int launch_hooks_prelude(Launch *launch) {
        _cleanup_close_ int mounts = -EBADF;
        int r;

        if (launch->definition->hooks[HOOK_PRE_START].n == 0)
                return 0;
        r = launch_hooks(launch, HOOK_PRE_START);
        if (r < 0)
                return r;

        r = step_begin(&launch->failure, STEP_NAMESPACE, "%s", "");
        if (r < 0)
                return r;
        mounts = open(HOST_MOUNTS, O_RDONLY | O_CLOEXEC);
        if (mounts < 0 || setns(mounts, CLONE_NEWNS) < 0)
                return -errno;
        launch->stage = fd_close(launch->stage);
        r = stage_enter(&launch->failure, &launch->stage);
        return r < 0 ? r : cgroup_reopen(&launch->cgroup);
}
