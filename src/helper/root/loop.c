/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/root/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "helper/root/mount.h"
#include "spec/image.h"

#define LOOP_TRIES 64 /* another program may take the free device that the kernel named */
#define LOOP_PATH_SIZE 32

int loop_open(Failure *failure, int location, bool written, int *ret_fd) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        char path[32];

        if (fstat(location, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return failure_cause(failure, -EPERM, "it is not a regular file");
        if (st.st_uid != 0 || st.st_mode & (S_IWGRP | S_IWOTH))
                return failure_cause(failure, -EPERM, "others than root can write to it");

        (void) snprintf(path, sizeof path, "/proc/self/fd/%d", location);
        fd = open(path, (written ? O_RDWR : O_RDONLY) | O_CLOEXEC);
        if (fd < 0)
                return -errno;

        *ret_fd = TAKE_FD(fd);
        return 0;
}

static int loop_read(void *userdata, uint64_t offset, void *buffer, size_t size) {
        const int *fd = userdata;
        ssize_t n = pread(*fd, buffer, size, (off_t) offset);

        if (n < 0)
                return -errno;
        return (size_t) n == size ? 0 : -EIO;
}

/* Detached by the kernel when the last one who uses it is gone. */
static int
loop_attach(int image, const ImageRoot *root, bool written, char path[static LOOP_PATH_SIZE], int *ret_fd) {
        const struct loop_config config = {
                .fd = (uint32_t) image,
                .info = {
                        .lo_offset = root->offset,
                        .lo_sizelimit = root->size,
                        .lo_flags = LO_FLAGS_AUTOCLEAR | (written ? 0 : LO_FLAGS_READ_ONLY),
                },
        };
        _cleanup_close_ int control = -EBADF;

        control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
        if (control < 0)
                return -errno;

        for (unsigned i = 0; i < LOOP_TRIES; i++) {
                _cleanup_close_ int fd = -EBADF;
                int number;

                number = ioctl(control, LOOP_CTL_GET_FREE);
                if (number < 0)
                        return -errno;
                (void) snprintf(path, LOOP_PATH_SIZE, "/dev/loop%d", number);
                fd = open(path, (written ? O_RDWR : O_RDONLY) | O_CLOEXEC);
                if (fd < 0)
                        return -errno;
                if (ioctl(fd, LOOP_CONFIGURE, &config) == 0) {
                        *ret_fd = TAKE_FD(fd);
                        return 0;
                }
                if (errno != EBUSY)
                        return -errno;
        }

        return -EBUSY;
}

int loop_mount(Failure *failure, int image, bool written, uint64_t attributes, int *ret_fd) {
        _cleanup_close_ int device = -EBADF;
        char path[LOOP_PATH_SIZE];
        struct stat st;
        ImageRoot root;
        int r;

        if (fstat(image, &st) < 0)
                return -errno;
        r = image_probe(loop_read, &image, (uint64_t) st.st_size, &root);
        if (r > 0)
                return failure_cause(failure, -EINVAL, "%s", image_error_text(r));
        if (r < 0)
                return r;
        if (written && root.read_only)
                return failure_cause(
                                failure, -EROFS,
                                "its root partition is marked read-only; set [Root] ReadOnly= or "
                                "Overlay=yes");

        r = loop_attach(image, &root, written, path, &device);
        if (r < 0)
                return failure_cause(failure, r, "no loop device can be had (%s)", strerror(-r));

        const FsOption options[] = {
                {"source", path },
                { written ? NULL : "ro",       NULL },
                {          }
        };
        r = mount_new(failure, root.filesystem, options, attributes, ret_fd);
        if (r == -ENODEV)
                return failure_cause(failure, r, "this kernel has no file system %s", root.filesystem);
        return r;
}
