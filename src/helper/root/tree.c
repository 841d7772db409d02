/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/root/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/weaken.h"
#include "helper/root/descriptor.h"
#include "helper/root/loop.h"
#include "helper/root/mount.h"
#include "helper/root/overlay.h"
#include "helper/root/source.h"
#include "helper/root/stage.h"
#include "helper/unit/holder.h"
#include "helper/unit/lock.h"
#include "spec/unit.h"

#define HOLDER_SIZE 128
#define ROOT_PATH_SIZE (sizeof STORE_IMAGES + 80)

bool root_may_create(const LaunchPlan *plan) {
        const Definition *definition = plan->definition;

        return definition->overlay || definition->ephemeral || definition->managed;
}

uint64_t root_attributes(const LaunchPlan *plan) {
        const Definition *definition = plan->definition;
        uint64_t attributes = mount_attributes(definition->root_flags);

        if (descriptor_of_root(plan) && !descriptor_of_root(plan)->proven)
                attributes |= MOUNT_ATTR_NOSUID;

        /* Nobody in a user namespace can make device nodes, so those in its root are not its own. */
        return definition->user_namespace && !weakened(WEAKEN_NODEV) ? attributes | MOUNT_ATTR_NODEV : attributes;
}

void root_done(Root *root) {
        root->source = fd_close(root->source);
        root->layers = fd_close(root->layers);
        root->tree = fd_close(root->tree);
}

bool root_is_written(const Definition *definition) {
        return !definition->overlay && !definition->ephemeral && !definition->read_only;
}

static int root_open_layers(Failure *failure, const LaunchPlan *plan, Root *root) {
        const Definition *definition = plan->definition;

        return definition->overlay && !definition->ephemeral
                               ? overlay_open_store(failure, plan, &root->layers)
                               : 0;
}

/* Of the two places in the store where a managed root can be, the one where it is. */
static int root_find_managed(Failure *failure, const LaunchPlan *plan, char path[static ROOT_PATH_SIZE]) {
        const char *name = plan->definition->name;
        char image[ROOT_PATH_SIZE];
        bool has_root, has_image;

        (void) snprintf(path, ROOT_PATH_SIZE, STORE_ROOTS "/%s", name);
        (void) snprintf(image, sizeof image, STORE_IMAGES "/%s.raw", name);
        has_root = faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
        has_image = faccessat(AT_FDCWD, image, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
        if (has_root && has_image)
                return failure_cause(
                                failure, -EEXIST,
                                "berth's store has a directory and an image of this name; "
                                "remove " STORE_ROOTS "/%s "
                                "or " STORE_IMAGES "/%s.raw",
                                name, name);
        if (!has_root && !has_image)
                return failure_cause(failure, -ENOENT, "there is no root of this name in berth's store");
        if (has_image)
                memcpy(path, image, sizeof image);

        return 0;
}

static int root_take_source(Failure *failure, const LaunchPlan *plan, Source *source, Root *root) {
        const Definition *definition = plan->definition;
        int r;

        if (!source->directory && (definition->managed || definition->root_image)) {
                r = loop_open(failure, source->fd, root_is_written(definition), &root->source);
                root->image = r >= 0;
                source->fd = fd_close(source->fd);
                return r;
        }

        root->source = source->fd;
        if (!source->directory)
                return failure_cause(failure, -ENOTDIR, "it is not a directory; a disk image is Image=");
        if (definition->root_image)
                return failure_cause(failure, -EISDIR, "it is a directory; that is Path=");

        /* berth's own store has ids that mean nothing to the host. */
        if (root_is_written(definition) && !definition->managed)
                return source_require_private(failure, source->private, "set [Root] Overlay=yes");

        return 0;
}

int root_open(Failure *failure, const LaunchPlan *plan, Root *root) {
        const Definition *definition = plan->definition;
        const char *path = definition->root_image ?: definition->root_path;
        char managed[ROOT_PATH_SIZE];
        Source source;
        int r;

        if (descriptor_of_root(plan)) {
                root->source = fcntl(descriptor_of_root(plan)->fd, F_DUPFD_CLOEXEC, 0);
                return root->source < 0 ? -errno : root_open_layers(failure, plan, root);
        }

        if (definition->managed) {
                r = step_begin(failure, STEP_ROOT, STORE_ROOTS "/%s", definition->name);
                if (r < 0)
                        return r;
                r = root_find_managed(failure, plan, managed);
                if (r < 0)
                        return r;
                path = managed;
        }

        r = step_begin(failure, STEP_ROOT, "%s", path);
        if (r < 0)
                return r;
        r = source_open(failure, path, &source);
        if (r < 0)
                return r;
        r = root_take_source(failure, plan, &source, root);

        return r < 0 ? r : root_open_layers(failure, plan, root);
}

const char *root_object(const Definition *definition) {
        return definition->managed ? definition->name : definition->root_image ?: definition->root_path;
}

static int root_lock_directory(FdStore *store, int fd, int operation, char holder[static HOLDER_SIZE]) {
        char name[LOCK_ROOT_NAME_SIZE];
        uint64_t waited = 0;
        struct stat st;
        int r;

        if (fstat(fd, &st) < 0)
                return -errno;

        lock_root_name(&st, name);
        r = fd_store_lock(store, LOCK_ROOTS, name, operation);
        if (r != -EWOULDBLOCK || holder_find(fd, holder, HOLDER_SIZE))
                return r;
        while (r == -EWOULDBLOCK && lock_wait(&waited))
                r = fd_store_lock(store, LOCK_ROOTS, name, operation);

        return r;
}

int root_lock(Failure *failure, const LaunchPlan *plan, FdStore *store, const Root *root) {
        const Definition *definition = plan->definition;
        bool written = root_is_written(definition);
        char holder[HOLDER_SIZE];
        int r;

        r = step_begin(failure, STEP_LOCK, "%s", root_object(definition));
        if (r < 0)
                return r;

        r = root_lock_directory(store, root->source, written ? LOCK_EX : LOCK_SH, holder);
        if (r == -EWOULDBLOCK)
                return failure_cause(
                                failure, -START_ERRNO_ROOT_IN_USE, "it is in use by %s%s", holder,
                                written ? "" : ", which may write to it");
        if (r < 0 || root->layers < 0)
                return r;

        r = root_lock_directory(store, root->layers, LOCK_EX, holder);
        if (r == -EWOULDBLOCK)
                return failure_cause(
                                failure, -START_ERRNO_ROOT_IN_USE,
                                "its writable layer is in use by another start of %s", definition->name);
        return r;
}

/* Roots that are somebody else's show their owners as they are on disk; berth's own lie in the foreign
 * range. */
static int root_clone_mapped(
                Failure *failure,
                const LaunchPlan *plan,
                const Root *root,
                int user_namespace,
                int *ret_fd) {
        const Definition *definition = plan->definition;
        _cleanup_close_ int fd = -EBADF, foreign = -EBADF;
        uint64_t attributes = root_attributes(plan);
        IdMap map;
        int r;

        if (definition->read_only && !root_may_create(plan))
                attributes |= MOUNT_ATTR_RDONLY;

        if (descriptor_of_root(plan))
                return descriptor_mount(
                                failure, plan, descriptor_of_root(plan), root_is_written(definition),
                                attributes, user_namespace, ret_fd);

        if (root->image)
                r = loop_mount(failure, root->source, root_is_written(definition), attributes, &fd);
        else
                r = mount_clone(root->source, "", true, &fd);
        if (r < 0)
                return r;

        /* In an image the ids are those inside. */
        if (definition->managed && !root->image) {
                r = overlay_foreign_map(plan, &map);
                if (r < 0)
                        return r;
                r = idmap_open_namespace(&map, &foreign);
                if (r < 0)
                        return r;
                user_namespace = foreign;
        }

        /* A map that changes nothing needs none for files, and in a container there may be none to have. */
        if (user_namespace >= 0 && !idmap_is_identity(&plan->ids))
                r = mount_idmap(fd, user_namespace, attributes, true);
        else
                r = mount_restrict(fd, attributes, true);
        if (r < 0)
                return r;

        *ret_fd = TAKE_FD(fd);
        return 0;
}

int root_mount(Failure *failure, const LaunchPlan *plan, Root *root, int stage, int user_namespace) {
        const Definition *definition = plan->definition;
        const char *object = root_object(definition);
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = step_begin(failure, STEP_TREE, "%s", object);
        if (r < 0)
                return r;

        r = root_clone_mapped(failure, plan, root, user_namespace, &fd);
        if ((r == -EPERM || r == -EINVAL) && user_namespace >= 0 && !failure->cause[0] && plan->nested)
                return failure_cause(
                                failure, r,
                                "the file systems of a container cannot be id-mapped in it, but for those that it made "
                                "itself; set [Identity] IDMap=0:0:65536");
        if (r == -EINVAL && user_namespace >= 0 && !failure->cause[0])
                return failure_cause(
                                failure, r,
                                "its file system, or one that is mounted below it, does not support "
                                "id-mapped "
                                "mounts; use another file system, or [Identity] UserNamespace=no");
        if (r < 0)
                return r;

        if (definition->overlay || definition->ephemeral)
                return overlay_mount(failure, plan, stage, root->layers, fd, &root->tree);

        r = mount_attach_at(fd, stage, STAGE_ROOT);
        if (r < 0)
                return r;

        root->tree = TAKE_FD(fd);
        return 0;
}

int root_seal(const LaunchPlan *plan, const Root *root) {
        if (!plan->definition->read_only || !root_may_create(plan))
                return 0;

        return mount_restrict(root->tree, MOUNT_ATTR_RDONLY, false);
}
