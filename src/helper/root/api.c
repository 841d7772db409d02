/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/root/api.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "helper/root/mask.h"
#include "helper/root/mount.h"
#include "helper/root/policy.h"
#include "helper/root/tree.h"

#define API_ATTRIBUTES (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static int api_mount_proc(Failure *failure, const LaunchPlan *plan, int root_fd, int stage, int proc, int *ret_sysctl) {
        _cleanup_close_ int target = -EBADF, sysctl = -EBADF;
        int r;

        r = step_begin(failure, STEP_API, "/proc");
        if (r < 0)
                return r;
        r = target_open_directory(failure, root_fd, "proc", root_may_create(plan), &target);
        if (r < 0)
                return r;
        r = mount_attach(proc, target);
        if (r < 0)
                return r;

        sysctl = open_beneath(proc, "sys", O_PATH | O_DIRECTORY);
        if (sysctl < 0)
                return sysctl;

        r = mask_proc(failure, plan, stage, proc);
        if (r < 0)
                return r;

        *ret_sysctl = TAKE_FD(sysctl);
        return 0;
}

/* Without a network namespace of its own the container sees the host's sysfs, as it is but read-only; what is mounted
 * below it on the host stays out. */
static int api_mount_sys(Failure *failure, const LaunchPlan *plan, int root_fd, int stage, int own_sys,
                         int payload_cgroup) {
        _cleanup_close_ int target = -EBADF, host_sys = -EBADF, cgroup = -EBADF, cgroup_target = -EBADF;
        int sys = own_sys, r;

        r = step_begin(failure, STEP_API, "/sys");
        if (r < 0)
                return r;
        r = target_open_directory(failure, root_fd, "sys", root_may_create(plan), &target);
        if (r < 0)
                return r;

        if (sys < 0) {
                r = mount_clone(AT_FDCWD, "/sys", false, &host_sys);
                if (r < 0)
                        return r;
                r = mount_restrict(host_sys, API_ATTRIBUTES | MOUNT_ATTR_RDONLY, false);
                if (r < 0)
                        return r;
                sys = host_sys;
        }

        r = mount_attach(sys, target);
        if (r < 0)
                return r;

        /* The cgroup that is the root of the container's cgroup namespace: a clone of its directory shows the same as
         * a new mount from inside would, and needs nobody there. */
        r = step_begin(failure, STEP_API, "/sys/fs/cgroup");
        if (r < 0)
                return r;
        cgroup_target = open_beneath(sys, "fs/cgroup", O_PATH | O_DIRECTORY);
        if (cgroup_target < 0)
                return cgroup_target;
        r = mount_clone(payload_cgroup, "", false, &cgroup);
        if (r < 0)
                return r;
        r = mount_restrict(cgroup, API_ATTRIBUTES, false);
        if (r < 0)
                return r;
        r = mount_attach(cgroup, cgroup_target);
        if (r < 0)
                return r;

        /* What MaskPaths= names comes on top. */
        r = policy_mount(failure, plan, stage, sys);

        return r < 0 ? r : mask_sys(failure, plan, stage, sys);
}

int api_mount(Failure *failure, const LaunchPlan *plan, int root_fd, int stage, const BorrowedMounts *borrowed,
              int payload_cgroup, int *ret_sysctl) {
        _cleanup_close_ int sysctl = -EBADF;
        int r;

        r = api_mount_proc(failure, plan, root_fd, stage, borrowed->proc, &sysctl);
        if (r < 0)
                return r;
        r = api_mount_sys(failure, plan, root_fd, stage, borrowed->sys, payload_cgroup);
        if (r < 0)
                return r;

        *ret_sysctl = TAKE_FD(sysctl);
        return 0;
}
