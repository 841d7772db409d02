/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/root/dev.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "helper/root/device.h"
#include "helper/root/mount.h"
#include "helper/root/node.h"
#include "helper/root/tree.h"

static const struct {
        const char *name;
        unsigned major, minor;
} nodes[] = {
        { "null", 1, 3 },
        { "zero", 1, 5 },
        { "full", 1, 7 },
        { "random", 1, 8 },
        { "urandom", 1, 9 },
        { "tty", 5, 0 },
};

static const struct {
        const char *name, *target;
} links[] = {
        { "fd", "/proc/self/fd" },
        { "stdin", "/proc/self/fd/0" },
        { "stdout", "/proc/self/fd/1" },
        { "stderr", "/proc/self/fd/2" },
        { "core", "/proc/kcore" },
        { "ptmx", "pts/ptmx" },
};

/* The caller's file system ids are the container root's here, so that everything is owned by it from the start. */
static int dev_fill(Failure *failure, const LaunchPlan *plan, int dev, bool mqueue) {
        int r;

        for (size_t i = 0; i < ELEMENTSOF(nodes); i++) {
                r = step_begin(failure, STEP_DEV, "/dev/%s", nodes[i].name);
                if (r < 0)
                        return r;
                r = node_make(plan, dev, nodes[i].name, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor));
                if (r == -ENODEV)
                        return failure_cause(failure, r, "the container that this is in does not have it");
                if (r < 0)
                        return r;
        }

        r = devices_make(failure, plan, dev);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(links); i++)
                if (symlinkat(links[i].target, dev, links[i].name) < 0)
                        return failure_cause(failure, -errno, "cannot link /dev/%s", links[i].name);

        if (mkdirat(dev, "pts", 0755) < 0 || mkdirat(dev, "shm", 0755) < 0 || (mqueue && mkdirat(dev, "mqueue", 0755) < 0))
                return -errno;

        return 0;
}

/* gid= is passed only when the guest has that group at all: the kernel refuses what is not mapped. */
static int dev_mount_pts(Failure *failure, const LaunchPlan *plan, int dev, int *ret_pts) {
        _cleanup_close_ int fd = -EBADF;
        char gid[16];
        const FsOption options[] = {
                { "ptmxmode", "0666" },
                { "mode", plan->tty_gid != (gid_t) -1 ? "0620" : "0600" },
                { plan->tty_gid != (gid_t) -1 ? "gid" : NULL, gid },
                {},
        };
        int r;

        r = step_begin(failure, STEP_DEV, "/dev/pts");
        if (r < 0)
                return r;

        (void) snprintf(gid, sizeof gid, "%u", plan->tty_gid);
        r = mount_new(failure, "devpts", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, &fd);
        if (r < 0)
                return r;
        if (fchownat(fd, "", plan->owner_uid, plan->owner_gid, AT_EMPTY_PATH) < 0)
                return -errno;
        r = mount_attach_at(fd, dev, "pts");
        if (r < 0)
                return r;

        *ret_pts = TAKE_FD(fd);
        return 0;
}

static int dev_mount_shm(Failure *failure, int dev) {
        static const FsOption options[] = { { "mode", "1777" }, {} };
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = step_begin(failure, STEP_DEV, "/dev/shm");
        if (r < 0)
                return r;
        r = mount_new(failure, "tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, &fd);
        if (r < 0)
                return r;

        return mount_attach_at(fd, dev, "shm");
}

/* /dev/console is the slave of a pty from the container's own devpts, mounted on an empty file. It is found through the
 * master and never by a name. */
static int dev_make_console(Failure *failure, const LaunchPlan *plan, int dev, int pts, int *ret_master) {
        _cleanup_close_ int master = -EBADF, tree = -EBADF;
        /* What a serial console is taken for: nobody knows who will look at it. */
        const struct winsize size = { .ws_row = 24, .ws_col = 80 };
        int r, unlock = 0;
        unsigned number;
        char name[16];

        r = step_begin(failure, STEP_CONSOLE, "/dev/console");
        if (r < 0)
                return r;

        master = openat(pts, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (master < 0)
                return -errno;
        if (ioctl(master, TIOCSPTLCK, &unlock) < 0 || ioctl(master, TIOCGPTN, &number) < 0 ||
            ioctl(master, TIOCSWINSZ, &size) < 0)
                return -errno;

        (void) snprintf(name, sizeof name, "%u", number);
        if (fchownat(pts, name, plan->owner_uid, plan->tty_gid, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        r = mount_clone(pts, name, false, &tree);
        if (r < 0)
                return r;
        if (mknodat(dev, "console", S_IFREG | 0600, 0) < 0)
                return -errno;
        r = mount_attach_at(tree, dev, "console");
        if (r < 0)
                return r;

        *ret_master = TAKE_FD(master);
        return 0;
}

int dev_mount(Failure *failure, const LaunchPlan *plan, int root_fd, int mqueue, int *ret_console) {
        static const FsOption options[] = { { "mode", "0755" }, { "size", "4m" }, { "nr_inodes", "64k" }, {} };
        _cleanup_close_ int dev = -EBADF, target = -EBADF, pts = -EBADF;
        int r;

        r = step_begin(failure, STEP_DEV, "/dev");
        if (r < 0)
                return r;
        r = target_open_directory(failure, root_fd, "dev", root_may_create(plan), &target);
        if (r < 0)
                return r;
        r = mount_new(failure, "tmpfs", options, MOUNT_ATTR_NOSUID, &dev);
        if (r < 0)
                return r;
        /* First, since nodes may be mounts, and Linux mounts nothing on what is not attached itself. */
        r = mount_attach(dev, target);
        if (r < 0)
                return r;
        r = dev_fill(failure, plan, dev, mqueue >= 0);
        if (r < 0)
                return r;

        r = dev_mount_pts(failure, plan, dev, &pts);
        if (r < 0)
                return r;
        r = dev_mount_shm(failure, dev);
        if (r < 0)
                return r;
        if (mqueue >= 0) {
                /* A namespace of the host's has one file system, which is the host's too. */
                if (launch_plan_private(plan, NAMESPACE_IPC) &&
                    fchownat(mqueue, "", plan->owner_uid, plan->owner_gid, AT_EMPTY_PATH) < 0)
                        return -errno;
                r = mount_attach_at(mqueue, dev, "mqueue");
                if (r < 0)
                        return r;
        }

        *ret_console = -EBADF;
        return plan->definition->console ? dev_make_console(failure, plan, dev, pts, ret_console) : 0;
}
