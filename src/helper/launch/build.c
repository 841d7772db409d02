/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The payload, cloned into its cgroup and namespaces, and everything that is mounted for it while it waits.
 */
#include "helper/launch/state.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/syscall.h"
#include "helper/launch/payload.h"
#include "helper/root/api.h"
#include "helper/root/dev.h"
#include "helper/root/extra.h"
#include "helper/root/stage.h"
#include "helper/root/visible.h"

int launch_clone(Launch *launch) {
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF;
        struct clone_args args = {
                .flags = launch_plan_clone_flags(&launch->plan),
                .pidfd = (uint64_t) (uintptr_t) &launch->pidfd,
                .cgroup = (uint64_t) launch->cgroup.payload,
        };
        int ends[2], r;
        pid_t pid;

        r = step_begin(&launch->failure, STEP_CLONE, "%s", "");
        if (r < 0)
                return r;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                return -errno;
        ours = ends[0];
        theirs = ends[1];

        pid = sys_clone3(&args);
        if (pid < 0 && errno == EAGAIN)
                return failure_no_process(&launch->failure);
        if (pid < 0 && (errno == EUSERS || errno == ENOSPC))
                return failure_cause(
                                &launch->failure, -errno,
                                "the limit of namespaces is reached, see /proc/sys/user/ and namespaces(7)");
        if (pid < 0)
                return -errno;
        if (pid == 0) {
                const Payload payload = {
                        .plan = &launch->plan,
                        .store = &launch->store,
                        .socket = theirs,
                        .seccomp = &launch->seccomp,
                        .lsm = &launch->lsm,
                        .reaper = launch->reaper,
                };

                (void) close(ours);
                payload_run(&payload);
        }

        launch->pid = pid;
        launch->socket = TAKE_FD(ours);
        return 0;
}

int launch_map_ids(Launch *launch) {
        _cleanup_close_ int proc = -EBADF;
        char path[32];
        int r;

        if (!launch->definition->user_namespace)
                return 0;

        r = step_begin(&launch->failure, STEP_ID_MAP, "of the container");
        if (r < 0)
                return r;

        (void) snprintf(path, sizeof path, "/proc/%d", (int) launch->pid);
        proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (proc < 0)
                return -errno;
        /* It is not our child: if it was killed, its number may be another's by now. */
        if (pidfd_send_signal(launch->pidfd, 0, NULL, 0) < 0)
                return -errno;
        r = idmap_write(&launch->plan.ids, proc);
        if (r < 0)
                return r;

        launch->user_namespace = openat(proc, "ns/user", O_RDONLY | O_CLOEXEC);
        return launch->user_namespace < 0 ? -errno : 0;
}

/* Everything that is made from now on belongs to the container's root from its first moment. The
 * capabilities stay. */
static int launch_assume_owner(const LaunchPlan *plan) {
        if (plan->owner_uid == 0)
                return 0;

        if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0UL, 0UL, 0UL) < 0)
                return -errno;
        (void) setfsgid(plan->owner_gid);
        (void) setfsuid(plan->owner_uid);
        return 0;
}

int launch_mount(Launch *launch) {
        Failure *failure = &launch->failure;
        const LaunchPlan *plan = &launch->plan;
        int r;

        r = step_begin(failure, STEP_TREE, "%s", "");
        if (r < 0)
                return r;
        r = launch_assume_owner(plan);
        if (r < 0)
                return r;

        r = root_mount(failure, plan, &launch->root, launch->stage, launch->user_namespace);
        if (r < 0)
                return r;
        r = borrow_mounts(failure, plan, launch->pidfd, &launch->borrowed);
        if (r < 0)
                return r;
        r = dev_mount(failure, plan, launch->root.tree, launch->borrowed.mqueue, &launch->store.console);
        if (r < 0)
                return r;
        r = run_mount(failure, plan, launch->root.tree, &launch->run);
        if (r < 0)
                return r;
        r = visible_mount(failure, plan, &launch->run, &launch->borrowed);
        if (r < 0)
                return r;
        r = api_mount(failure, plan, launch->root.tree, launch->stage, &launch->borrowed,
                      launch->cgroup.payload, &launch->sysctl);
        if (r < 0)
                return r;
        r = extra_mounts(failure, plan, launch->root.tree, launch->user_namespace);
        if (r < 0)
                return r;

        if (launch->definition->hooks[HOOK_AUTODEV].n > 0) {
                r = stage_expose_dev(launch->stage, launch->root.tree);
                if (r < 0)
                        return r;
                r = launch_hooks(launch, HOOK_AUTODEV);
                if (r < 0)
                        return r;
        }

        r = step_begin(failure, STEP_TREE, "read-only");
        if (r < 0)
                return r;
        return root_seal(plan, &launch->root);
}
