/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a container that is built to one that runs: its first program, and systemd's knowledge of it.
 */
#include "helper/launch/state.h"

#include <errno.h>

#include "basic/cleanup.h"
#include "basic/weaken.h"
#include "helper/launch/guest.h"
#include "helper/launch/handover.h"
#include "helper/launch/payload.h"
#include "helper/seccomp/notify.h"
#include "helper/unit/console.h"
#include "helper/unit/machined.h"

/* The payload ended before it executed anything: it has said why, if nobody killed it. */
static int launch_payload_failed(Launch *launch) {
        Failure failure;
        int r;

        r = payload_read_failure(launch->socket, &failure);
        if (r < 0)
                return failure_cause(&launch->failure, r, "it crashed while it was loaded, or was killed");

        launch->failure = failure;
        return -failure.error;
}

/* Nobody traces the payload while it waits for hooks: its end would go unnoticed. */
static int launch_let_go(Launch *launch, const PayloadGo *go, const int fds[static _PAYLOAD_FD_N]) {
        int r;

        if (launch->definition->hooks[HOOK_MOUNT].n == 0) {
                r = handover_watch(launch->pid);
                return r < 0 ? r : payload_release(launch->socket, go, fds);
        }

        r = payload_release(launch->socket, go, fds);
        if (r < 0)
                return r;
        r = payload_wait_mounts(launch->socket);
        if (r == -ECHILD)
                return launch_payload_failed(launch);
        if (r < 0)
                return r;
        r = launch_hooks(launch, HOOK_MOUNT);
        if (r < 0)
                return r;
        r = handover_watch(launch->pid);
        return r < 0 ? r : payload_go_on(launch->socket);
}

int launch_release(Launch *launch) {
        const int fds[_PAYLOAD_FD_N] = {
                [PAYLOAD_FD_ROOT] = launch->root.tree,
                [PAYLOAD_FD_SYSCTL] = launch->sysctl,
        };
        const PayloadGo go = {
                .has_credentials = launch->run.credentials,
                .has_notify = launch->run.notify >= 0,
        };
        char identity[IDENTITY_SIZE];
        int r;

        r = step_begin(&launch->failure, STEP_GUEST, "its way to stop");
        if (r < 0)
                return r;
        r = guest_note_stop_signal(&launch->cgroup, guest_stop_signal(&launch->plan, launch->root.tree));
        if (r < 0)
                return r;

        r = guest_note_hooks(&launch->cgroup, launch->definition);
        if (r < 0)
                return r;
        r = guest_note_filter(&launch->cgroup, &launch->seccomp);
        if (r < 0)
                return r;

        r = step_begin(&launch->failure, STEP_MAIN_PROCESS, "%s", "");
        if (r < 0)
                return r;
        r = notify_barrier_wait(TAKE_FD(launch->barrier), HANDOVER_TIMEOUT_MSEC);
        if (r < 0)
                return r;
        machined_register(launch->plan.kind, launch->definition->name, launch->plan.machine_id, launch->pid);
        if (launch->store.console >= 0)
                console_offer(launch->plan.kind, launch->definition->name, launch->store.console);
        r = handover_identity(identity);
        if (r < 0)
                return r;
        r = launch_let_go(launch, &go, fds);
        if (r < 0)
                return r;

        if (launch->seccomp.notifies) {
                failure_at(&launch->failure, STEP_SECCOMP, launch->definition->seccomp_notify);
                r = seccomp_notify_pass(
                                &launch->failure, launch->socket, launch->definition->name, launch->pid,
                                launch->seccomp_server);
                if (r == -ECHILD)
                        return launch_payload_failed(launch);
                if (r < 0)
                        return r;
        }

        /* The payload does this step; it is here that its silence is told. */
        failure_at(&launch->failure, STEP_EXEC, "its first program");
        r = handover_wait_exec(launch->pid);
        if (r == -ECHILD)
                return launch_payload_failed(launch);
        if (r < 0)
                return r;

        r = lsm_verify(&launch->failure, &launch->lsm, launch->pid);
        if (r < 0)
                return r;
        failure_at(&launch->failure, STEP_EXEC, "its first program");
        r = handover_is_tainted(launch->pid, identity);
        if (r > 0 && weakened(WEAKEN_PROGRAM))
                return 0;
        if (r > 0)
                return failure_cause(&launch->failure, -EPERM, "it has /proc/self/exe for its interpreter");
        if (r < 0)
                return r;

        /* It is held before its first instruction, and has no program of berth's in it that a hook could see. */
        r = launch_hooks(launch, HOOK_START_HOST);
        return r < 0 ? r : launch_hooks(launch, HOOK_START);
}

int launch_hand_over(Launch *launch) {
        bool guest = launch->definition->ready == READY_GUEST;
        int r;

        r = step_begin(&launch->failure, STEP_READY, "%s", "");
        if (r < 0)
                return r;
        /* A process 1 that handles nothing yet would not hear of it. */
        if (handover_is_told_to_end(launch->pid))
                return failure_cause(&launch->failure, -ECANCELED, "the container was told to stop before it ran");

        if (guest) {
                r = handover_resume(launch->pid);
                if (r < 0)
                        return r;
                r = handover_wait_guest(&launch->notify, launch->run.notify, launch->pid, launch->pidfd);
                if (r == -ECHILD) {
                        launch->pid = 0;
                        return failure_cause(&launch->failure, r, "it ended before it said READY=1");
                }
                if (r < 0)
                        return r;

                r = handover_silence(launch->run.notify);
                if (r < 0)
                        return r;
                launch->store.notify = TAKE_FD(launch->run.notify);
        }

        r = handover_ready(&launch->notify, &launch->store);
        if (r < 0)
                return r;
        if (!guest) {
                r = handover_resume(launch->pid);
                if (r < 0 && r != -ESRCH)
                        return r;
        }

        /* From here on it is a running container, whatever happens to us. */
        launch->pid = 0;
        r = notify_barrier_begin(&launch->notify, &launch->barrier);
        return r < 0 ? r : notify_barrier_wait(TAKE_FD(launch->barrier), HANDOVER_TIMEOUT_MSEC);
}
