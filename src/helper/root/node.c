/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/root/node.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "helper/root/mount.h"

static int node_borrow(int dev, const char *name, mode_t mode, dev_t number) {
        _cleanup_close_ int own = -EBADF, fd = -EBADF, tree = -EBADF;
        struct stat st;
        int r;

        own = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (own < 0)
                return -errno;
        fd = open_beneath(own, name, O_PATH | O_NOFOLLOW);
        if (fd == -ENOENT)
                return -ENODEV;
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if ((st.st_mode & S_IFMT) != (mode & S_IFMT) || st.st_rdev != number)
                return -ENODEV;

        r = mount_clone(fd, "", false, &tree);
        if (r < 0)
                return r;
        r = mount_restrict(tree, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, false);
        if (r < 0)
                return r;
        if (mknodat(dev, name, S_IFREG | 0600, 0) < 0)
                return -errno;

        r = mount_attach_at(tree, dev, name);
        return r < 0 ? r : 1;
}

int node_make(const LaunchPlan *plan, int dev, const char *name, mode_t mode, dev_t number) {
        if (mknodat(dev, name, mode, number) == 0)
                return 0;

        return errno == EPERM && plan->nested ? node_borrow(dev, name, mode, number) : -errno;
}
