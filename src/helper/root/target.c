/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where mounts go: directories and files beneath the container's root, opened once and held. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "helper/root/mount.h"

int target_open_directory(Failure *failure, int root_fd, const char *path, bool create, int *ret_fd) {
        int fd;

        fd = open_beneath(root_fd, path, O_PATH | O_DIRECTORY);
        if (fd == -ENOENT && create) {
                while (*path == '/')
                        path++;
                if (mkdirat(root_fd, path, 0755) < 0 && errno != EEXIST)
                        return failure_cause(failure, -errno, "the root has no %s, and it cannot be made: %s", path,
                                             strerror(errno));
                fd = open_beneath(root_fd, path, O_PATH | O_DIRECTORY);
        }

        if (fd == -ENOENT)
                return failure_cause(failure, fd,
                                     "the root has no such directory; make it, or set [Root] Overlay=yes, "
                                     "which adds it without touching the root");
        if (fd == -ELOOP)
                return failure_cause(failure, fd,
                                     "it is a symbolic link in the root, and must be a directory");
        if (fd == -ENOTDIR)
                return failure_cause(failure, fd, "it is not a directory in the root, and must be one");
        if (fd == -EACCES) /* id 0 may enter what is its own; where there is none, modes count */
                return failure_cause(
                                failure, fd,
                                "who is inside may not enter the root: chmod 0755 its top directory, and "
                                "let the one above it keep others out");
        if (fd < 0)
                return fd;

        *ret_fd = fd;
        return 0;
}

/* Makes the last missing parts of a path, one after the other, each beneath the one before. */
static int target_create(int root_fd, const char *path, bool directory) {
        _cleanup_free_ char *copy = NULL;
        _cleanup_close_ int parent = -EBADF;
        char *save = NULL, *part, *next;

        copy = strdup(path);
        if (!copy)
                return -ENOMEM;

        parent = open_in_root(root_fd, "/", O_PATH | O_DIRECTORY);
        if (parent < 0)
                return parent;

        for (part = strtok_r(copy, "/", &save); part; part = next) {
                bool last;
                int fd;

                next = strtok_r(NULL, "/", &save);
                last = !next;

                if (last && !directory) {
                        if (mknodat(parent, part, S_IFREG | 0644, 0) < 0 && errno != EEXIST)
                                return -errno;
                        return 0;
                }
                if (mkdirat(parent, part, 0755) < 0 && errno != EEXIST)
                        return -errno;

                /* A link in the middle of a path that had to be made is not followed: beneath the parent only. */
                fd = open_beneath(parent, part, O_PATH | O_DIRECTORY);
                if (fd < 0)
                        return fd;
                (void) close(parent);
                parent = fd;
        }

        return 0;
}

int target_open(Failure *failure, int root_fd, const char *path, bool create, bool directory, int *ret_fd) {
        struct stat st;
        int fd, r;

        fd = open_in_root(root_fd, path, O_PATH);
        if (fd == -ENOENT && create) {
                r = target_create(root_fd, path, directory);
                if (r < 0)
                        return failure_cause(failure, r, "the target %s cannot be made: %s", path, strerror(-r));
                fd = open_in_root(root_fd, path, O_PATH);
        }
        if (fd == -ENOENT)
                return failure_cause(failure, fd, "the target %s does not exist inside; Create=yes makes it", path);
        if (fd < 0)
                return failure_cause(failure, fd, "the target %s cannot be opened: %s", path, strerror(-fd));

        if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode) != directory) {
                (void) close(fd);
                return failure_cause(failure, -ENOTDIR, "the target %s is %s, and the source is %s", path,
                                     directory ? "not a directory" : "a directory",
                                     directory ? "a directory" : "not a directory");
        }

        *ret_fd = fd;
        return 0;
}
