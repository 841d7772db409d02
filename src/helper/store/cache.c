/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/store/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/sha256.h"

static bool is_roots_alone(const struct stat *st) {
        return st->st_uid == 0 && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

int cache_open(const char *path, int *ret_directory) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT) {
                if ((mkdir(CACHE_PARENT, 0755) < 0 && errno != EEXIST) ||
                    (mkdir(path, 0700) < 0 && errno != EEXIST))
                        return -errno;
                fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        }
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!is_roots_alone(&st))
                return -EPERM;

        *ret_directory = TAKE_FD(fd);
        return 0;
}

static void digest(const void *data, size_t size, uint8_t ret[static SHA256_SIZE]) {
        Sha256 hash;

        sha256_init(&hash);
        sha256_add(&hash, data, size);
        sha256_finish(&hash, ret);
}

int cache_read(int directory, const char *name, size_t max, char **ret, size_t *ret_size, int *ret_file) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *data = NULL;
        uint8_t hash[SHA256_SIZE];
        struct stat st;
        size_t size;
        int r;

        fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
                return errno == ELOOP ? -ENOENT : -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || !is_roots_alone(&st))
                return -ENOENT;

        r = fd_read_all(fd, max + SHA256_SIZE, &data, &size);
        if (r < 0)
                return r == -EFBIG ? -ENOENT : r;
        if (size <= SHA256_SIZE)
                return -ENOENT;
        size -= SHA256_SIZE;
        digest(data, size, hash);
        if (memcmp(data + size, hash, sizeof hash) != 0)
                return -ENOENT;

        *ret = TAKE_PTR(data);
        *ret_size = size;
        *ret_file = TAKE_FD(fd);
        return 0;
}

int cache_write_to(int fd, const void *data, size_t size) {
        uint8_t hash[SHA256_SIZE];
        int r;

        digest(data, size, hash);
        r = fd_write_all(fd, data, size);
        return r < 0 ? r : fd_write_all(fd, hash, sizeof hash);
}

int cache_write(int directory, const char *name, const void *data, size_t size, int *ret_file) {
        _cleanup_close_ int fd = -EBADF, readable = -EBADF;
        char temporary[SHA256_TEXT_SIZE + 32];
        int r;

        (void) snprintf(temporary, sizeof temporary, ".%s.%d", name, (int) getpid());
        (void) unlinkat(directory, temporary, 0);
        fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        r = cache_write_to(fd, data, size);
        if (r == 0) {
                readable = openat(directory, temporary, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
                r = readable < 0 || renameat(directory, temporary, directory, name) < 0 ? -errno : 0;
        }
        if (r < 0) {
                (void) unlinkat(directory, temporary, 0);
                return r;
        }

        *ret_file = TAKE_FD(readable);
        return 0;
}
