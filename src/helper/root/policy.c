/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/root/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/weaken.h"
#include "helper/root/mount.h"
#include "helper/root/stage.h"

#define APPARMOR "/sys/kernel/security/apparmor"
#define ATTRIBUTES (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static int clone_part(const char *path, int *ret_fd) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = mount_clone(AT_FDCWD, path, false, &fd);
        if (r < 0)
                return r;
        r = mount_restrict(fd, ATTRIBUTES, false);
        if (r < 0)
                return r;

        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* The link leads into the kernel's tree of all policy, at the place of whoever looks, and from there upwards
 * to what the host and other containers have loaded. */
static int hide_tree(int stage, int apparmor) {
        _cleanup_close_ int cover = -EBADF;
        int r;

        if (weakened(WEAKEN_MASKS))
                return 0;
        r = mount_clone(stage, STAGE_HIDDEN, false, &cover);
        return r < 0 ? r : mount_attach_at(cover, apparmor, "policy");
}

/* What there is in place of the root of a securityfs. */
static int make_directory(Failure *failure, int *ret_fd) {
        static const FsOption options[] = {
                {"mode", "0755" },
                { "nr_inodes",     "2" },
                {       }
        };
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = mount_new(failure, "tmpfs", options, ATTRIBUTES, &fd);
        if (r < 0)
                return r;
        if (mkdirat(fd, "apparmor", 0755) < 0)
                return -errno;
        r = mount_restrict(fd, MOUNT_ATTR_RDONLY, false);
        if (r < 0)
                return r;

        *ret_fd = TAKE_FD(fd);
        return 0;
}

int policy_mount(Failure *failure, const LaunchPlan *plan, int stage, int sys) {
        _cleanup_close_ int target = -EBADF, below = -EBADF, directory = -EBADF, apparmor = -EBADF;
        int r;

        if (!plan->loads_policy)
                return 0;

        r = step_begin(failure, STEP_API, APPARMOR);
        if (r < 0)
                return r;
        target = open_beneath(sys, "kernel/security", O_PATH | O_DIRECTORY);
        if (target < 0)
                return target;

        /* AppArmor's library looks in /proc/mounts for a securityfs, and for the directory apparmor where
         * that is mounted: a harmless part lies below the directory, for it to find. */
        r = clone_part(APPARMOR "/features", &below);
        if (r < 0)
                return r;
        r = mount_attach(below, target);
        if (r < 0)
                return r;
        r = make_directory(failure, &directory);
        if (r < 0)
                return r;
        r = mount_attach(directory, below);
        if (r < 0)
                return r;

        r = clone_part(APPARMOR, &apparmor);
        if (r < 0)
                return r;
        r = mount_attach_at(apparmor, directory, "apparmor");

        return r < 0 ? r : hide_tree(stage, apparmor);
}
