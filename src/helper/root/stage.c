/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/root/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "helper/root/mount.h"

static int stage_make_boot_id(int stage) {
        uint8_t b[16];
        char text[64];

        if (getrandom(b, sizeof b, 0) != (ssize_t) sizeof b)
                return -errno;

        b[6] = (b[6] & 0x0f) | 0x40;
        b[8] = (b[8] & 0x3f) | 0x80;
        (void) snprintf(text, sizeof text,
                        "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x\n", b[0], b[1], b[2],
                        b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
        return file_create(stage, STAGE_BOOT_ID, 0444, text);
}

int stage_enter(Failure *failure, int *ret_fd) {
        static const FsOption options[] = { { "mode", "0711" }, { "size", "64k" }, {} };
        static const char *const directories[] = { STAGE_LOWER, STAGE_STORE, STAGE_ROOT };
        struct mount_attr private = { .propagation = MS_PRIVATE };
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = step_begin(failure, STEP_NAMESPACE, "%s", "");
        if (r < 0)
                return r;

        if ((mkdir(STAGE_PARENT, 0755) < 0 && errno != EEXIST) || (mkdir(STAGE_PATH, 0700) < 0 && errno != EEXIST))
                return failure_cause(failure, -errno, "cannot make the directory " STAGE_PATH);
        if (unshare(CLONE_NEWNS) < 0)
                return -errno;
        if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &private, sizeof private) < 0)
                return -errno;

        r = mount_new(failure, "tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, &fd);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(directories); i++)
                if (mkdirat(fd, directories[i], 0700) < 0)
                        return -errno;
        r = file_create(fd, STAGE_HIDDEN, 0, "");
        if (r < 0)
                return r;
        if (mkdirat(fd, STAGE_HIDDEN_DIRECTORY, 0) < 0)
                return -errno;
        r = stage_make_boot_id(fd);
        if (r < 0)
                return r;

        if (move_mount(fd, "", AT_FDCWD, STAGE_PATH, MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return -errno;

        *ret_fd = TAKE_FD(fd);
        return 0;
}

int stage_expose_dev(int stage, int root_fd) {
        _cleanup_close_ int dev = -EBADF, directory = -EBADF, tree = -EBADF;
        int r;

        dev = open_beneath(root_fd, "dev", O_PATH | O_DIRECTORY);
        if (dev < 0)
                return dev;
        r = mount_clone(dev, "", false, &tree);
        if (r < 0)
                return r;
        if (mkdirat(stage, STAGE_AUTODEV, 0700) < 0)
                return -errno;
        directory = openat(stage, STAGE_AUTODEV, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (directory < 0 || mkdirat(directory, "dev", 0755) < 0)
                return -errno;

        return mount_attach_at(tree, directory, "dev");
}
