/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/root/mask.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/string.h"
#include "basic/weaken.h"
#include "helper/root/mount.h"
#include "helper/root/stage.h"
#include "spec/mask.h"

/* Where parts are: the mount, and its name. */
typedef struct Where {
        Failure *failure;
        const Definition *definition;
        int stage;
        int mount;
        const char *name;
} Where;

/* Is PATH the same as PARENT or below it? Everything is below "". */
static bool path_is_below(const char *path, const char *parent) {
        const char *rest = string_after_prefix(path, parent);

        return rest && (!*rest || *rest == '/' || !*parent);
}

/* The part of PATH behind the mount's name, without the slash; NULL if it is in another mount. */
static const char *path_within(const Where *where, const char *path) {
        const char *rest = path_is_below(path, where->name) ? path + strlen(where->name) : NULL;

        return rest && *rest == '/' ? rest + 1 : rest;
}

static bool is_unmasked(const Where *where, const char *part) {
        for (char *const *path = where->definition->unmask_paths; path && *path; path++) {
                const char *unmasked = path_within(where, *path);

                if (unmasked && path_is_below(part, unmasked))
                        return true;
        }

        return false;
}

/* What is mounted over a hidden part. Root of the host passes over access rights, and must not write either. */
static int clone_cover(const Where *where, bool directory, int *ret_fd) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = mount_clone(where->stage, directory ? STAGE_HIDDEN_DIRECTORY : STAGE_HIDDEN, false, &fd);
        if (r < 0)
                return r;
        if (directory || !where->definition->user_namespace) {
                r = mount_restrict(fd, MOUNT_ATTR_RDONLY, false);
                if (r < 0)
                        return r;
        }

        *ret_fd = TAKE_FD(fd);
        return 0;
}

static int hide(const Where *where, const MaskPart *part) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = step_begin(where->failure, STEP_MASK, "%s/%s", where->name, part->path);
        if (r < 0)
                return r;
        /* Not every kernel has every file, and a clone that is not attached costs a grace period to throw
         * away. */
        if (faccessat(where->mount, part->path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        r = clone_cover(where, part->directory, &fd);
        if (r < 0)
                return r;

        return mount_attach_at(fd, where->mount, part->path);
}

static int hide_parts(const Where *where, const MaskPart *parts) {
        for (; parts->path; parts++) {
                int r;

                if (is_unmasked(where, parts->path))
                        continue;
                r = hide(where, parts);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* Opens what a path of the definition names. -ENOENT if the kernel has it not. */
static int open_part(const Where *where, const char *path, int *ret_fd) {
        int fd, r;

        r = step_begin(where->failure, STEP_MASK, "%s/%s", where->name, path);
        if (r < 0)
                return r;

        fd = open_beneath(where->mount, path, O_PATH);
        if (fd == -ELOOP)
                return failure_cause(
                                where->failure, fd,
                                "it is a symbolic link, or behind one; name what it leads to");
        if (fd == -ENOTDIR)
                return -ENOENT;
        if (fd < 0)
                return fd;

        *ret_fd = fd;
        return 0;
}

/* A copy of the part without the restriction, over itself. */
static int lift(const Where *where, const char *path) {
        _cleanup_close_ int target = -EBADF, fd = -EBADF;
        int r;

        r = open_part(where, path, &target);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        r = mount_clone(target, "", false, &fd);
        if (r < 0)
                return r;
        r = mount_lift(fd, MOUNT_ATTR_RDONLY);
        if (r < 0)
                return r;

        return mount_attach(fd, target);
}

/* MaskPaths= */
static int hide_named(const Where *where) {
        for (char *const *path = where->definition->mask_paths; path && *path; path++) {
                _cleanup_close_ int target = -EBADF, fd = -EBADF;
                const char *part = path_within(where, *path);
                struct stat st;
                int r;

                if (!part)
                        continue;
                r = open_part(where, part, &target);
                if (r == -ENOENT)
                        continue;
                if (r < 0)
                        return r;
                if (fstat(target, &st) < 0)
                        return -errno;
                r = clone_cover(where, S_ISDIR(st.st_mode), &fd);
                if (r < 0)
                        return r;
                r = mount_attach(fd, target);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* Mounts a part over itself, read-only. */
static int restrict_part(const Where *where, const char *path) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = step_begin(where->failure, STEP_MASK, "%s/%s", where->name, path);
        if (r < 0)
                return r;
        r = mount_clone(where->mount, path, false, &fd);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;
        r = mount_restrict(fd, MOUNT_ATTR_RDONLY, false);
        if (r < 0)
                return r;

        return mount_attach_at(fd, where->mount, path);
}

/* The parts of UnmaskPaths= that lie in what is read-only now. */
static int lift_within(const Where *where, const char *read_only) {
        for (char *const *path = where->definition->unmask_paths; path && *path; path++) {
                const char *part = path_within(where, *path);
                int r;

                if (!part || !path_is_below(part, read_only))
                        continue;
                r = lift(where, part);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int restrict_proc(const Where *where) {
        for (const char *const *part = mask_proc_read_only; *part; part++) {
                int r;

                if (is_unmasked(where, *part))
                        continue;
                r = restrict_part(where, *part);
                if (r < 0)
                        return r;
                r = lift_within(where, *part);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* The start has an id of its own, as a boot of a machine has. */
static int mask_boot_id(const Where *where) {
        static const char path[] = "sys/kernel/random/boot_id";
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = step_begin(where->failure, STEP_MASK, "/proc/%s", path);
        if (r < 0)
                return r;
        r = mount_clone(where->stage, STAGE_BOOT_ID, false, &fd);
        if (r < 0)
                return r;

        return mount_attach_at(fd, where->mount, path);
}

int mask_proc(Failure *failure, const LaunchPlan *plan, int stage, int proc) {
        const Where where = { failure, plan->definition, stage, proc, "/proc" };
        _cleanup_close_ int network = -EBADF;
        int r;

        if (weakened(WEAKEN_MASKS))
                return 0;

        r = hide_parts(&where, mask_proc_hidden);
        if (r == 0 && !plan->definition->user_namespace)
                r = hide_parts(&where, mask_proc_hidden_from_root);
        if (r < 0)
                return r;

        /* Before /proc/sys is covered: a network of the container's own is the container's to tune. */
        if (launch_plan_private(plan, NAMESPACE_NET) && !is_unmasked(&where, "sys")) {
                r = mount_clone(proc, "sys/net", false, &network);
                if (r < 0 && r != -ENOENT)
                        return r;
        }

        r = restrict_proc(&where);
        if (r < 0)
                return r;

        if (network >= 0) {
                r = step_begin(failure, STEP_MASK, "/proc/sys/net");
                if (r < 0)
                        return r;
                r = mount_attach_at(network, proc, "sys/net");
                if (r < 0)
                        return r;
        }

        r = mask_boot_id(&where);

        return r < 0 ? r : hide_named(&where);
}

/* It becomes writable only where the kernel asks for rights over what is the container's own: with ids of
 * its own it can change its network devices and nothing else. */
static int lift_sys(const Where *where) {
        int r;

        if (!is_unmasked(where, ""))
                return lift_within(where, "");

        r = step_begin(where->failure, STEP_MASK, "/sys");

        return r < 0 ? r : mount_lift(where->mount, MOUNT_ATTR_RDONLY);
}

int mask_sys(Failure *failure, const LaunchPlan *plan, int stage, int sys) {
        const Where where = { failure, plan->definition, stage, sys, "/sys" };
        int r = 0;

        if (!plan->definition->user_namespace)
                r = hide_parts(&where, mask_sys_hidden_from_root);
        else if (launch_plan_private(plan, NAMESPACE_NET))
                r = lift_sys(&where);

        return r < 0 ? r : hide_named(&where);
}
