/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/unit/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "spec/limits.h"

#define PAUSE_USEC 10000

/* Both directories are at most two levels below /run. */
static int lock_directory(const char *path, int *ret_fd) {
        _cleanup_free_ char *parent = NULL;
        int fd;

        fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT) {
                parent = strndup(path, (size_t) (strrchr(path, '/') - path));
                if (!parent)
                        return -ENOMEM;
                if (mkdir(parent, 0755) < 0 && errno != EEXIST)
                        return -errno;
                if (mkdir(path, 0700) < 0 && errno != EEXIST)
                        return -errno;
                fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        }
        if (fd < 0)
                return -errno;

        *ret_fd = fd;
        return 0;
}

int lock_acquire(const char *directory, const char *name, int operation, int *ret_fd) {
        _cleanup_close_ int parent = -EBADF;
        int r;

        r = lock_directory(directory, &parent);
        if (r < 0)
                return r;

        for (;;) {
                _cleanup_close_ int fd = -EBADF;
                struct stat st;

                fd = openat(parent, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
                if (fd < 0)
                        return -errno;
                if (flock(fd, operation | LOCK_NB) < 0)
                        return -errno;
                if (fstat(fd, &st) < 0)
                        return -errno;
                if (st.st_nlink > 0) {
                        *ret_fd = TAKE_FD(fd);
                        return 0;
                }
        }
}

bool lock_wait(uint64_t *waited_usec) {
        if (*waited_usec >= LOCK_RELEASE_USEC)
                return false;

        (void) usleep(PAUSE_USEC);
        *waited_usec += PAUSE_USEC;
        return true;
}

void lock_root_name(const struct stat *root, char name[static LOCK_ROOT_NAME_SIZE]) {
        (void) snprintf(name, LOCK_ROOT_NAME_SIZE, "inode-%lu:%lu", (unsigned long) root->st_dev,
                        (unsigned long) root->st_ino);
}
