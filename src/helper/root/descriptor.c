/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/root/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/string.h"
#include "basic/weaken.h"
#include "helper/root/mount.h"
#include "helper/root/source.h"
#include "helper/root/tree.h"

#define NOGROUP 65534 /* on the host: of no block of a container */
#define PARENTS_MAX 4096
#define MOUNTINFO_MAX (16 * 1024 * 1024)

/* Those that linux/magic.h of the oldest supported kernel does not have. */
#define MAGIC_BCACHEFS 0xca451a4eU
#define MAGIC_ISO9660 0x9660U
#define MAGIC_JFS 0x3153464aU
#define MAGIC_UDF 0x15013346U
#define MAGIC_ZFS 0x2fc12fc1U

bool descriptor_is_proven(const struct stat *st, int flags) {
        return S_ISDIR(st->st_mode) && !(flags & O_PATH) && (flags & O_NOATIME || weakened(WEAKEN_OPENER)) &&
               !(st->st_mode & (S_IRWXG | S_IRWXO));
}

bool descriptor_type_is_storage(uint32_t type) {
        static const uint32_t types[] = {
                EXT4_SUPER_MAGIC,
                XFS_SUPER_MAGIC,
                BTRFS_SUPER_MAGIC,
                F2FS_SUPER_MAGIC,
                NILFS_SUPER_MAGIC,
                TMPFS_MAGIC,
                SQUASHFS_MAGIC,
                OVERLAYFS_SUPER_MAGIC,
                EROFS_SUPER_MAGIC_V1,
                MAGIC_BCACHEFS,
                MAGIC_ISO9660,
                MAGIC_JFS,
                MAGIC_UDF,
                MAGIC_ZFS,
        };

        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if (type == types[i])
                        return true;

        return false;
}

/* A mount point as mountinfo writes it, where white space and backslashes are three octal digits; TEXT ends
 * at a space. Is it PATH or below? */
static bool mount_point_is_below(const char *text, const char *path) {
        const char *p = path;

        for (; *p; p++) {
                char c = *text++;

                if (c == '\\' && text[0] && text[1] && text[2]) {
                        c = (char) ((text[0] - '0') << 6 | (text[1] - '0') << 3 | (text[2] - '0'));
                        text += 3;
                }
                if (c != *p)
                        return false;
        }

        return *text == ' ' || *text == '/' || streq(path, "/");
}

bool descriptor_has_mounts(const char *mountinfo, int mount_id, const char *path) {
        for (const char *line = mountinfo; *line; line += strcspn(line, "\n"), line += *line == '\n') {
                int id, parent, root = 0;

                /* ID PARENT DEVICE ROOT MOUNTPOINT ... */
                if (sscanf(line, "%d %d %*s %*s %n", &id, &parent, &root) != 2 || root == 0)
                        continue;
                /* The root of all may say that it is its own parent. */
                if (parent == mount_id && id != parent && mount_point_is_below(line + root, path))
                        return true;
        }

        return false;
}

void descriptor_user_map(
                const Descriptor *descriptor, bool written, uid_t owner_uid, gid_t owner_gid, IdMap *ret) {
        *ret = (IdMap) {
                .ranges = {
                        { .kinds = ID_UID, .inside = descriptor->owner, .outside = owner_uid, .count = 1 },
                        { .kinds = ID_GID, .inside = descriptor->group, .outside = owner_gid, .count = 1 },
                },
                .n = 2,
        };
        if (!written || descriptor->group == FOREIGN_BASE)
                return;

        ret->ranges[1].outside = NOGROUP;
        ret->ranges[ret->n++] = (IdRange){
                .kinds = ID_GID, .inside = FOREIGN_BASE, .outside = owner_gid, .count = 1
        };
}

/* Is there a directory above that only the owner and root pass? */
static int descriptor_find_shelter(Descriptor *descriptor) {
        _cleanup_close_ int fd = fcntl(descriptor->fd, F_DUPFD_CLOEXEC, 0);
        struct stat child, parent;
        struct statvfs fs;

        if (fd < 0 || fstat(fd, &child) < 0 || fstatvfs(fd, &fs) < 0)
                return -errno;
        descriptor->private = fs.f_flag & ST_NOSUID;

        for (unsigned i = 0; i < PARENTS_MAX && !descriptor->private; i++) {
                int up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

                if (up < 0)
                        return -errno;
                (void) close(fd);
                fd = up;
                if (fstat(fd, &parent) < 0)
                        return -errno;
                if (parent.st_dev == child.st_dev && parent.st_ino == child.st_ino)
                        return 0;
                descriptor->private = (parent.st_uid == 0 || parent.st_uid == descriptor->owner) &&
                                      !(parent.st_mode & (S_IXGRP | S_IXOTH));
                child = parent;
        }

        return 0;
}

/* Only what stands alone can be shown as every user sees it. */
static int descriptor_check_alone(Failure *failure, const Descriptor *descriptor) {
        _cleanup_free_ char *mountinfo = NULL;
        char link[64], path[PATH_MAX];
        struct statx stx;
        ssize_t n;
        int r;

        if (statx(descriptor->fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) < 0)
                return -errno;
        (void) snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor->fd);
        n = readlink(link, path, sizeof path - 1);
        if (n < 0)
                return -errno;
        path[n] = '\0';
        r = file_read(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &mountinfo, NULL);
        if (r < 0)
                return r;

        if (descriptor_has_mounts(mountinfo, (int) stx.stx_mnt_id, path))
                return failure_cause(
                                failure, -EPERM,
                                "it does not tell who opened it, and another file system is mounted below "
                                "it");
        return 0;
}

/* What it is, where it lies, and who can have opened it. */
static int descriptor_look(Failure *failure, Descriptor *descriptor) {
        struct statfs fs;
        struct stat st;
        int flags, r;

        flags = fcntl(descriptor->fd, F_GETFL);
        if (flags < 0 || fstat(descriptor->fd, &st) < 0 || fstatfs(descriptor->fd, &fs) < 0)
                return -errno;

        if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
                return failure_cause(failure, -EPERM, "it is neither a directory nor a regular file");
        if (!descriptor_type_is_storage((uint32_t) fs.f_type))
                return failure_cause(
                                failure, -EPERM,
                                "it is on a file system of a kind that is not taken from callers "
                                "(type %lx)",
                                (unsigned long) fs.f_type);
        if (st.st_nlink == 0)
                return failure_cause(failure, -ENOENT, "it was removed after it had been opened");

        descriptor->directory = S_ISDIR(st.st_mode);
        descriptor->proven = descriptor_is_proven(&st, flags);
        descriptor->owner = st.st_uid;
        descriptor->group = st.st_gid;

        r = mount_clone(descriptor->fd, "", true, &descriptor->tree);
        if (r == -EINVAL)
                return failure_cause(failure, r, "it is on a mount that the host does not have");
        if (r < 0)
                return r;

        /* A clone of a shared mount is its peer, and the host would see all that is mounted in the
         * container. */
        return mount_make_private(descriptor->tree);
}

/* May the container use it so? */
static int descriptor_judge(Failure *failure, Descriptor *descriptor, bool written, const char *instead) {
        int r;

        if (!descriptor->proven) {
                if (written)
                        return failure_cause(
                                        failure, -EPERM,
                                        "it does not tell who opened it, so that it can only be read: "
                                        DESCRIPTOR_PROOF ", or set %s",
                                        instead);
                return descriptor->directory ? descriptor_check_alone(failure, descriptor) : 0;
        }
        if (!written)
                return 0;

        r = descriptor_find_shelter(descriptor);
        if (r < 0)
                return r;
        return source_require_private(failure, descriptor->private, instead);
}

static int
descriptor_open(Failure *failure,
                const Handover *handed,
                const char *name,
                bool written,
                const char *instead,
                Descriptor *ret) {
        int r;

        ret->fd = fcntl(handover_find(handed, name), F_DUPFD_CLOEXEC, 0);
        if (ret->fd < 0)
                return -errno;
        r = descriptor_look(failure, ret);

        return r < 0 ? r : descriptor_judge(failure, ret, written, instead);
}

static int
descriptor_open_mount(Failure *failure, const Handover *handed, const MountSpec *spec, Descriptor *ret) {
        int r;

        r = step_begin(failure, STEP_MOUNT, "%s (%s:%u)", spec->source, spec->origin.file,
                       spec->origin.line);
        if (r < 0)
                return r;
        r =
                        descriptor_open(failure, handed, definition_descriptor(spec->source),
                                        !spec->read_only, "ReadOnly=yes", ret);
        if (r < 0)
                return r;

        if (spec->idmap && !ret->proven)
                return failure_cause(
                                failure, -EPERM,
                                "it does not tell who opened it, so that its owners cannot be shown "
                                "(IDMap=yes): " DESCRIPTOR_PROOF);
        if (ret->directory && !spec->recursive)
                return failure_cause(
                                failure, -EPERM,
                                "a descriptor's directory is shown with what is mounted below it "
                                "(Recursive=yes)");
        return 0;
}

int descriptors_open(
                Failure *failure, const Definition *definition, const Handover *handed, Descriptors *ret) {
        int r;

        if (definition->root_path && definition_descriptor(definition->root_path)) {
                r = step_begin(failure, STEP_ROOT, "%s", definition->root_path);
                if (r < 0)
                        return r;
                r = descriptor_open(
                                failure, handed, definition_descriptor(definition->root_path),
                                root_is_written(definition), "[Root] ReadOnly= or Overlay=yes", &ret->root);
                if (r < 0)
                        return r;
                if (!ret->root.directory)
                        return failure_cause(failure, -ENOTDIR, "it is not a directory");
        }

        ret->mounts = calloc(definition->n_mounts + 1, sizeof *ret->mounts);
        if (!ret->mounts)
                return -ENOMEM;
        for (; ret->n_mounts < definition->n_mounts; ret->n_mounts++)
                ret->mounts[ret->n_mounts] = DESCRIPTOR_NULL;

        for (size_t i = 0; i < definition->n_mounts; i++) {
                if (!definition->mounts[i].source || !definition_descriptor(definition->mounts[i].source))
                        continue;
                r = descriptor_open_mount(failure, handed, &definition->mounts[i], &ret->mounts[i]);
                if (r < 0)
                        return r;
        }

        return 0;
}

const Descriptor *descriptor_of_root(const LaunchPlan *plan) {
        return plan->descriptors && plan->descriptors->root.tree >= 0 ? &plan->descriptors->root : NULL;
}

const Descriptor *descriptor_of_mount(const LaunchPlan *plan, size_t mount) {
        return plan->descriptors && plan->descriptors->mounts[mount].tree >= 0
                               ? &plan->descriptors->mounts[mount]
                               : NULL;
}

int descriptor_mount(
                Failure *failure,
                const LaunchPlan *plan,
                const Descriptor *descriptor,
                bool written,
                uint64_t attributes,
                int user_namespace,
                int *ret_fd) {
        bool mapped = user_namespace >= 0 && descriptor->proven;
        _cleanup_close_ int fd = -EBADF, users = -EBADF;
        IdMap map;
        int r;

        attributes |= MOUNT_ATTR_NODEV | (descriptor->proven ? 0 : MOUNT_ATTR_NOSUID) |
                      (written ? 0 : MOUNT_ATTR_RDONLY);
        fd = fcntl(descriptor->tree, F_DUPFD_CLOEXEC, 0);
        if (fd < 0)
                return -errno;

        if (mapped && descriptor->owner != 0) {
                if (!plan->has_root)
                        return failure_cause(
                                        failure, -EINVAL,
                                        "it is a user's, who would be root inside, and IDMap= does "
                                        "not map 0");
                descriptor_user_map(descriptor, written, plan->owner_uid, plan->owner_gid, &map);
                r = idmap_open_namespace(&map, &users);
                if (r < 0)
                        return r;
                user_namespace = users;
        }

        if (mapped)
                r = mount_idmap(fd, user_namespace, attributes, true);
        else
                r = mount_restrict(fd, attributes, true);
        if (r < 0)
                return r;

        *ret_fd = TAKE_FD(fd);
        return 0;
}

static void descriptor_done(Descriptor *descriptor) {
        descriptor->fd = fd_close(descriptor->fd);
        descriptor->tree = fd_close(descriptor->tree);
}

void descriptors_done(Descriptors *descriptors) {
        descriptor_done(&descriptors->root);
        for (size_t i = 0; i < descriptors->n_mounts; i++)
                descriptor_done(&descriptors->mounts[i]);
        free(descriptors->mounts);
        *descriptors = DESCRIPTORS_NULL;
}
