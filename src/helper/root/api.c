/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/root/api.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/weaken.h"
#include "helper/root/mount.h"
#include "helper/root/stage.h"
#include "helper/root/tree.h"

#define API_ATTRIBUTES (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* Files of /proc that tell about or act on the whole machine: nobody in a container can open them. */
static const char *const proc_hidden[] = { "kallsyms", "kcore", "keys", "sysrq-trigger", "timer_list" };

/* Parts of /proc whose files change the machine. */
static const char *const proc_read_only[] = { "acpi", "apm", "asound", "bus", "fs", "irq", "scsi", "sys" };

static int mask_hide(Failure *failure, int stage, int proc, const char *source, const char *target) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = step_begin(failure, STEP_MASK, "/proc/%s", target);
        if (r < 0)
                return r;
        /* Not every kernel has every file, and a clone that is not attached costs a grace period to throw away. */
        if (faccessat(proc, target, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        r = mount_clone(stage, source, false, &fd);
        if (r < 0)
                return r;

        return mount_attach_at(fd, proc, target);
}

/* Mounts a part of /proc over itself, read-only or as it was. */
static int mask_restrict(Failure *failure, int proc, const char *path, uint64_t attributes) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = step_begin(failure, STEP_MASK, "/proc/%s", path);
        if (r < 0)
                return r;
        r = mount_clone(proc, path, false, &fd);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;
        r = mount_restrict(fd, attributes, false);
        if (r < 0)
                return r;

        return mount_attach_at(fd, proc, path);
}

static int api_mask_proc(Failure *failure, const LaunchPlan *plan, int stage, int proc) {
        _cleanup_close_ int network = -EBADF;
        int r;

        if (weakened(WEAKEN_MASKS))
                return 0;

        for (size_t i = 0; i < ELEMENTSOF(proc_hidden); i++) {
                r = mask_hide(failure, stage, proc, STAGE_HIDDEN, proc_hidden[i]);
                if (r < 0)
                        return r;
        }

        /* Before /proc/sys is covered: a network of the container's own is the container's to tune. */
        if (launch_plan_private(plan, NAMESPACE_NET)) {
                r = mount_clone(proc, "sys/net", false, &network);
                if (r < 0 && r != -ENOENT)
                        return r;
        }

        for (size_t i = 0; i < ELEMENTSOF(proc_read_only); i++) {
                r = mask_restrict(failure, proc, proc_read_only[i], MOUNT_ATTR_RDONLY);
                if (r < 0)
                        return r;
        }

        if (network >= 0) {
                r = step_begin(failure, STEP_MASK, "/proc/sys/net");
                if (r < 0)
                        return r;
                r = mount_attach_at(network, proc, "sys/net");
                if (r < 0)
                        return r;
        }

        return mask_hide(failure, stage, proc, STAGE_BOOT_ID, "sys/kernel/random/boot_id");
}

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

        r = api_mask_proc(failure, plan, stage, proc);
        if (r < 0)
                return r;

        *ret_sysctl = TAKE_FD(sysctl);
        return 0;
}

/* Without a network namespace of its own the container sees the host's sysfs, as it is but read-only; what is mounted
 * below it on the host stays out. */
static int api_mount_sys(Failure *failure, const LaunchPlan *plan, int root_fd, int own_sys, int payload_cgroup) {
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

        return mount_attach(cgroup, cgroup_target);
}

int api_mount(Failure *failure, const LaunchPlan *plan, int root_fd, int stage, const BorrowedMounts *borrowed,
              int payload_cgroup, int *ret_sysctl) {
        _cleanup_close_ int sysctl = -EBADF;
        int r;

        r = api_mount_proc(failure, plan, root_fd, stage, borrowed->proc, &sysctl);
        if (r < 0)
                return r;
        r = api_mount_sys(failure, plan, root_fd, borrowed->sys, payload_cgroup);
        if (r < 0)
                return r;

        *ret_sysctl = TAKE_FD(sysctl);
        return 0;
}
