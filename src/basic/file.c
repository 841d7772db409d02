/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/syscall.h"
#include "basic/weaken.h"

#define RENAME_TRIES 64

int fd_read_all(int fd, size_t max, char **ret, size_t *ret_size) {
        _cleanup_free_ char *buffer = NULL;
        size_t size = 0, allocated = 0;

        for (;;) {
                ssize_t n;

                if (allocated - size < 2) {
                        char *larger;

                        allocated = allocated > 0 ? allocated * 2 : 4096;
                        larger = realloc(buffer, allocated);
                        if (!larger)
                                return -ENOMEM;

                        buffer = larger;
                }

                n = read(fd, buffer + size, allocated - size - 1);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;

                size += (size_t) n;
                if (size > max)
                        return -EFBIG;
        }

        buffer[size] = '\0';
        *ret = TAKE_PTR(buffer);
        if (ret_size)
                *ret_size = size;

        return 0;
}

int file_read(int dirfd, const char *path, size_t max, char **ret, size_t *ret_size) {
        _cleanup_close_ int fd = -EBADF;

        fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return -errno;

        return fd_read_all(fd, max, ret, ret_size);
}

int file_write(int dirfd, const char *path, const char *text) {
        _cleanup_close_ int fd = -EBADF;
        size_t size = strlen(text);
        ssize_t n;

        fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return -errno;

        n = write(fd, text, size);
        if (n < 0)
                return -errno;

        return (size_t) n == size ? 0 : -EIO;
}

int fd_write_all(int fd, const void *data, size_t size) {
        const char *p = data;

        while (size > 0) {
                ssize_t n = write(fd, p, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;

                p += n;
                size -= (size_t) n;
        }

        return 0;
}

int file_create(int dirfd, const char *path, mode_t mode, const char *text) {
        _cleanup_close_ int fd = -EBADF;

        fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
        if (fd < 0)
                return -errno;

        return fd_write_all(fd, text, strlen(text));
}

static int open_resolved(int dirfd, const char *path, int flags, uint64_t resolve) {
        int fd;

        while (*path == '/')
                path++;
        if (weakened(WEAKEN_LINKS))
                resolve = 0;

        /* EAGAIN: something on the way was renamed meanwhile (openat2(2)); who keeps renaming gets it. */
        for (unsigned tries = 0; tries < RENAME_TRIES; tries++) {
                fd = sys_openat2(dirfd, *path ? path : ".", (uint64_t) (unsigned) flags | O_CLOEXEC, 0, resolve);
                if (fd >= 0)
                        return fd;
                if (errno != EAGAIN)
                        break;
        }

        return -errno;
}

int open_beneath(int dirfd, const char *path, int flags) {
        return open_resolved(dirfd, path, flags, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

int open_in_root(int dirfd, const char *path, int flags) {
        return open_resolved(dirfd, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}
