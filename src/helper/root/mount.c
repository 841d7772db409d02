/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/root/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "basic/cleanup.h"

/* A context's log holds lines such as "e overlay: ..."; the first error line is the cause. */
static int mount_new_failed(Failure *failure, int context, int error) {
        char line[512];
        ssize_t n;

        while ((n = read(context, line, sizeof line - 1)) > 0) {
                line[n] = '\0';
                line[strcspn(line, "\n")] = '\0';
                if (line[0] == 'e' && line[1] == ' ')
                        return failure_cause(failure, error, "%s (%s)", strerror(-error), line + 2);
        }

        return error;
}

int mount_new(Failure *failure, const char *type, const FsOption *options, uint64_t attributes, int *ret_fd) {
        _cleanup_close_ int context = -EBADF;
        int fd;

        context = fsopen(type, FSOPEN_CLOEXEC);
        if (context < 0)
                return -errno;

        for (; options && options->key; options++)
                if (fsconfig(context, options->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, options->key,
                             options->value, 0) < 0)
                        return mount_new_failed(failure, context, -errno);

        if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return mount_new_failed(failure, context, -errno);

        fd = fsmount(context, FSMOUNT_CLOEXEC, (unsigned) attributes);
        if (fd < 0)
                return mount_new_failed(failure, context, -errno);

        *ret_fd = fd;
        return 0;
}

int mount_clone(int dirfd, const char *path, bool recursive, int *ret_fd) {
        unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW;
        int fd;

        if (!*path)
                flags |= AT_EMPTY_PATH;
        if (recursive)
                flags |= AT_RECURSIVE;

        fd = open_tree(dirfd, path, flags);
        if (fd < 0)
                return -errno;

        *ret_fd = fd;
        return 0;
}

int mount_attach(int mount_fd, int target_fd) {
        if (move_mount(mount_fd, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
                return -errno;

        return 0;
}

int mount_attach_at(int mount_fd, int dirfd, const char *name) {
        return move_mount(mount_fd, "", dirfd, name, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

static int mount_change(int mount_fd, struct mount_attr *change, bool recursive) {
        unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);

        return mount_setattr(mount_fd, "", flags, change, sizeof *change) < 0 ? -errno : 0;
}

int mount_make_private(int mount_fd) {
        struct mount_attr change = { .propagation = MS_PRIVATE };

        return mount_change(mount_fd, &change, true);
}

int mount_restrict(int mount_fd, uint64_t attributes, bool recursive) {
        struct mount_attr change = { .attr_set = attributes };

        /* A time-stamp mode replaces another: the kernel wants the old one's bits cleared. */
        if (attributes & MOUNT_ATTR_NOATIME)
                change.attr_clr = MOUNT_ATTR__ATIME;

        return attributes ? mount_change(mount_fd, &change, recursive) : 0;
}

int mount_lift(int mount_fd, uint64_t attributes) {
        struct mount_attr change = { .attr_clr = attributes };

        return mount_change(mount_fd, &change, false);
}

int mount_idmap(int mount_fd, int user_namespace, uint64_t attributes, bool recursive) {
        struct mount_attr change = {
                .attr_set = attributes | MOUNT_ATTR_IDMAP,
                .attr_clr = attributes & MOUNT_ATTR_NOATIME ? MOUNT_ATTR__ATIME : 0,
                .userns_fd = (uint64_t) user_namespace,
        };

        return mount_change(mount_fd, &change, recursive);
}

uint64_t mount_attributes(unsigned mount_flags) {
        static const struct {
                MountFlag flag;
                uint64_t attribute;
        } map[] = {
                { MOUNT_FLAG_NOSUID, MOUNT_ATTR_NOSUID },
                { MOUNT_FLAG_NODEV, MOUNT_ATTR_NODEV },
                { MOUNT_FLAG_NOEXEC, MOUNT_ATTR_NOEXEC },
                { MOUNT_FLAG_NOATIME, MOUNT_ATTR_NOATIME },
                { MOUNT_FLAG_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW },
        };
        uint64_t attributes = 0;

        for (size_t i = 0; i < ELEMENTSOF(map); i++)
                if (mount_flags & map[i].flag)
                        attributes |= map[i].attribute;

        return attributes;
}
