/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/root/extra.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "basic/weaken.h"
#include "helper/root/descriptor.h"
#include "helper/root/mount.h"
#include "helper/root/source.h"
#include "spec/check.h"

/* With IDMap=yes files are made with the ids that root and users have on the host. */
static int extra_open_source(Failure *failure, const MountSpec *spec, int *ret_fd, bool *ret_directory) {
        Source source;
        int r;

        r = source_open(failure, spec->source, &source);
        if (r < 0)
                return r;

        *ret_fd = source.fd;
        *ret_directory = source.directory;
        return spec->idmap && !spec->read_only
                               ? source_require_private(failure, source.private, "set ReadOnly=yes")
                               : 0;
}

static int extra_make_bind(const MountSpec *spec, int source, uint64_t attributes, int user_namespace, int *ret_fd) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = mount_clone(source, "", spec->recursive, &fd);
        if (r < 0)
                return r;

        if (spec->idmap && user_namespace >= 0)
                r = mount_idmap(fd, user_namespace, attributes, spec->recursive);
        else
                r = mount_restrict(fd, attributes, spec->recursive);
        if (r < 0)
                return r;

        *ret_fd = TAKE_FD(fd);
        return 0;
}

static int extra_make_tmpfs(Failure *failure, const LaunchPlan *plan, const MountSpec *spec, uint64_t attributes,
                            int *ret_fd) {
        char size[32], mode[16], uid[16], gid[16];
        const FsOption options[] = {
                { "mode", mode },
                { "uid", uid },
                { "gid", gid },
                { spec->size > 0 ? "size" : NULL, size },
                {},
        };

        (void) snprintf(size, sizeof size, "%" PRIu64, spec->size);
        (void) snprintf(mode, sizeof mode, "%04o", spec->mode);
        (void) snprintf(uid, sizeof uid, "%u", plan->owner_uid);
        (void) snprintf(gid, sizeof gid, "%u", plan->owner_gid);
        return mount_new(failure, "tmpfs", options, attributes, ret_fd);
}

static int path_of(int fd, char path[static PATH_MAX]) {
        char link[64];
        ssize_t n;

        (void) snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        n = readlink(link, path, PATH_MAX);
        if (n < 0 || n == PATH_MAX)
                return n < 0 ? -errno : -ENAMETOOLONG;

        path[n] = '\0';
        return 0;
}

/* Links are followed as the container would follow them; but where they lead may be a place that the
 * definition could not have named, because process 1 and hooks rely on what berth has there. */
static int extra_check_target(Failure *failure, const MountSpec *spec, int root_fd, int target) {
        char root[PATH_MAX], path[PATH_MAX];
        const char *inside;
        int r;

        r = path_of(root_fd, root);
        if (r == 0)
                r = path_of(target, path);
        if (r < 0)
                return r;

        inside = string_after_prefix(path, root);
        if (inside && *inside == '/' && !mount_target_is_reserved(inside))
                return 0;
        if (weakened(WEAKEN_TARGETS))
                return 0;

        return failure_cause(
                        failure, -EPERM,
                        "a link in the root leads from the target %s to %s, where the container's own is",
                        spec->target, inside && *inside == '/' ? inside : "/");
}

static int
extra_mount(Failure *failure, const LaunchPlan *plan, size_t index, int root_fd, int user_namespace) {
        const Descriptor *descriptor = descriptor_of_mount(plan, index);
        const MountSpec *spec = &plan->definition->mounts[index];
        _cleanup_close_ int source = -EBADF, fd = -EBADF, target = -EBADF;
        uint64_t attributes = mount_attributes(spec->flags) | (spec->read_only ? MOUNT_ATTR_RDONLY : 0);
        bool directory = true;
        int r;

        r = step_begin(failure, STEP_MOUNT, "%s (%s:%u)", spec->type == MOUNT_BIND ? spec->source : "tmpfs",
                       spec->origin.file, spec->origin.line);
        if (r < 0)
                return r;

        if (descriptor)
                directory = descriptor->directory;
        else if (spec->type == MOUNT_BIND) {
                r = extra_open_source(failure, spec, &source, &directory);
                if (r == -ENOENT && spec->optional)
                        return 0;
                if (r < 0)
                        return r;
        }

        r = target_open(failure, root_fd, spec->target, spec->create, directory, &target);
        if (r < 0)
                return r;
        r = extra_check_target(failure, spec, root_fd, target);
        if (r < 0)
                return r;

        /* As in its root, a node that somebody else made is not the container's; one that is named itself is. */
        if (directory && plan->definition->user_namespace && !weakened(WEAKEN_NODEV))
                attributes |= MOUNT_ATTR_NODEV;

        if (descriptor)
                r = descriptor_mount(
                                failure, plan, descriptor, !spec->read_only, attributes,
                                spec->idmap ? user_namespace : -EBADF, &fd);
        else if (spec->type == MOUNT_BIND)
                r = extra_make_bind(
                                spec, source, attributes,
                                idmap_is_identity(&plan->ids) ? -EBADF : user_namespace, &fd);
        else
                r = extra_make_tmpfs(failure, plan, spec, attributes, &fd);
        if (r == -EINVAL && spec->idmap && !failure->cause[0])
                return failure_cause(
                                failure, r, "its file system does not support id-mapped mounts (IDMap=)");
        if (r < 0)
                return r;

        return mount_attach(fd, target);
}

int extra_mounts(Failure *failure, const LaunchPlan *plan, int root_fd, int user_namespace) {
        for (size_t i = 0; i < plan->definition->n_mounts; i++) {
                int r = extra_mount(failure, plan, i, root_fd, user_namespace);

                if (r < 0)
                        return r;
        }

        return 0;
}
