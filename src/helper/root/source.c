/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/root/source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/weaken.h"

#define LINKS_MAX 40 /* the kernel's own limit */

typedef struct Walk {
        Failure *failure;
        int fd;          /* where we are */
        char *rest;      /* what is still to be walked */
        unsigned links;
        bool private;
} Walk;

static bool only_root_writes(const struct stat *st) {
        return st->st_uid == 0 && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

/* Nobody but root gets through this directory. The group's bit is also the sum of an access control list. */
static bool only_root_passes(const struct stat *st) {
        return st->st_uid == 0 && !(st->st_mode & (S_IXGRP | S_IXOTH));
}

/* A link: its text takes the place of its name, if root alone could have written it. */
static int walk_link(Walk *walk, const char *name, const struct stat *parent, const struct stat *link) {
        char text[PATH_MAX], *rest;
        ssize_t n;

        if ((!only_root_writes(parent) || link->st_uid != 0) && !weakened(WEAKEN_SOURCE_LINKS))
                return failure_cause(walk->failure, -ELOOP,
                                     "%s is a symbolic link that others than root can change; name the place itself", name);
        if (++walk->links > LINKS_MAX)
                return -ELOOP;

        n = readlinkat(walk->fd, name, text, sizeof text - 1);
        if (n < 0)
                return -errno;
        text[n] = '\0';

        if (asprintf(&rest, "%s/%s", text, walk->rest) < 0)
                return -ENOMEM;
        free(walk->rest);
        walk->rest = rest;

        if (text[0] == '/') {
                walk->fd = fd_close(walk->fd);
                walk->fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
                walk->private = false;
                return walk->fd < 0 ? -errno : 0;
        }

        return 0;
}

/* One name. What was private stays so on the way down; ".." may leave it. */
static int walk_step(Walk *walk, const char *name) {
        struct stat parent, st;
        int fd;

        if (fstat(walk->fd, &parent) < 0)
                return -errno;

        fd = openat(walk->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0) {
                (void) close(fd);
                return -EIO;
        }
        if (S_ISLNK(st.st_mode)) {
                (void) close(fd);
                return walk_link(walk, name, &parent, &st);
        }

        if (strcmp(name, "..") == 0)
                walk->private = false;
        else if (only_root_passes(&parent))
                walk->private = true;

        (void) close(walk->fd);
        walk->fd = fd;
        return 0;
}

static int walk_all(Walk *walk) {
        for (;;) {
                _cleanup_free_ char *name = NULL, *rest = NULL;
                size_t skip = strspn(walk->rest, "/"), size = strcspn(walk->rest + skip, "/");
                int r;

                if (size == 0)
                        return 0;

                name = strndup(walk->rest + skip, size);
                rest = strdup(walk->rest + skip + size);
                if (!name || !rest)
                        return -ENOMEM;
                free(walk->rest);
                walk->rest = TAKE_PTR(rest);

                r = walk_step(walk, name);
                if (r < 0)
                        return r;
        }
}

int source_open(Failure *failure, const char *path, Source *ret) {
        _cleanup_close_ int fd = -EBADF;
        Walk walk = { .failure = failure };
        struct statvfs fs;
        struct stat st;
        int r;

        walk.rest = strdup(path);
        walk.fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        r = !walk.rest ? -ENOMEM : walk.fd < 0 ? -errno : walk_all(&walk);
        free(walk.rest);
        fd = walk.fd;
        if (r < 0)
                return r;

        if (fstat(fd, &st) < 0 || fstatvfs(fd, &fs) < 0)
                return -errno;

        /* A directory's own mode is no shelter: the container, to which it belongs, can change it. */
        *ret = (Source) {
                .directory = S_ISDIR(st.st_mode),
                .private = walk.private || (fs.f_flag & ST_NOSUID),
                .fd = TAKE_FD(fd),
        };
        return 0;
}

int source_require_private(Failure *failure, bool private, const char *instead) {
        if (private || weakened(WEAKEN_SHELTER))
                return 0;

        return failure_cause(failure, -EPERM,
                             "every user of this host can get there, and could use a set-user-ID program that the "
                             "container makes there; take the directory above it away from others (chmod 0700), or %s",
                             instead);
}
