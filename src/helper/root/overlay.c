/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/root/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "helper/root/mount.h"
#include "helper/root/stage.h"
#include "helper/root/tree.h"

/* Where nobody inside has id 0, nobody owns the top of a layer; but the kernel works in it as the host's
 * root. */
static int foreign_add_nobody(IdMap *map, const IdMap *ids, IdKind kind) {
        uint32_t id;

        if (idmap_to_host(ids, kind, 0, &id))
                return 0;
        if (map->n >= IDMAP_RANGES_MAX)
                return -E2BIG;

        map->ranges[map->n++] = (IdRange){ .kinds = kind, .inside = FOREIGN_BASE, .outside = 0, .count = 1 };
        return 0;
}

int overlay_foreign_map(const LaunchPlan *plan, IdMap *ret) {
        static const IdRange identity = {
                .kinds = ID_UID | ID_GID,
                .inside = FOREIGN_BASE,
                .outside = 0,
                .count = ID_BLOCK_SIZE,
        };
        int r;

        if (!plan->definition->user_namespace) {
                *ret = (IdMap){ .ranges = { identity }, .n = 1 };
                return 0;
        }

        r = idmap_foreign(&plan->ids, ret);
        if (r < 0)
                return r;
        r = foreign_add_nobody(ret, &plan->ids, ID_UID);
        if (r < 0)
                return r;

        return foreign_add_nobody(ret, &plan->ids, ID_GID);
}

/* Makes and opens a directory of the store. */
static int store_directory(int parent, const char *name, mode_t mode, uid_t owner, int *ret_fd) {
        struct statvfs fs;
        struct stat st;
        int fd, r = 0;

        if (mkdirat(parent, name, mode) < 0 && errno != EEXIST)
                return -errno;

        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;

        /* Also when an earlier start was killed before it came to this. */
        if (fstat(fd, &st) < 0 || fstatvfs(fd, &fs) < 0 ||
            (st.st_uid == 0 && owner != 0 && fchown(fd, owner, owner) < 0))
                r = -errno;
        else if (fs.f_flag & ST_RDONLY)
                r = -EROFS;
        if (r < 0) {
                (void) close(fd);
                return r;
        }

        *ret_fd = fd;
        return 0;
}

int overlay_open_store(Failure *failure, const LaunchPlan *plan, int *ret_fd) {
        _cleanup_close_ int store = -EBADF, layers = -EBADF, upper = -EBADF, work = -EBADF;
        uid_t owner;
        int r;

        r = step_begin(failure, STEP_OVERLAY, STORE_OVERLAYS "/%s", plan->definition->name);
        if (r < 0)
                return r;

        if (mkdir("/var/lib/berth", 0711) < 0 && errno != EEXIST)
                return -errno;
        r = store_directory(AT_FDCWD, STORE_OVERLAYS, 0700, 0, &store);
        if (r < 0)
                return r;
        /* Open to others, behind a parent that is not: id-mapped, its owner has no id, and nobody's rights
         * over it. */
        r = store_directory(store, plan->definition->name, 0711, 0, &layers);
        if (r < 0)
                return r;
        owner = plan->nested ? plan->owner_uid : FOREIGN_BASE;
        r = store_directory(layers, "upper", 0755, owner, &upper);
        if (r < 0)
                return r;
        r = store_directory(layers, "work", 0700, owner, &work);
        if (r < 0)
                return r;

        *ret_fd = TAKE_FD(layers);
        return 0;
}

/* The layer in memory: a tmpfs whose files have the container's ids as they are. */
static int overlay_attach_memory(Failure *failure, const LaunchPlan *plan, int stage) {
        static const FsOption options[] = {
                {"mode",            "0700" },
                {                 }
        };
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = mount_new(failure, "tmpfs", options, 0, &fd);
        if (r < 0)
                return r;

        if (mkdirat(fd, "upper", 0755) < 0 || mkdirat(fd, "work", 0700) < 0 ||
            fchownat(fd, "upper", plan->owner_uid, plan->owner_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
            fchownat(fd, "work", plan->owner_uid, plan->owner_gid, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;

        return mount_attach_at(fd, stage, STAGE_STORE);
}

static int overlay_attach_store(const LaunchPlan *plan, int layers, int stage) {
        _cleanup_close_ int fd = -EBADF, foreign = -EBADF;
        IdMap map;
        int r;

        r = mount_clone(layers, "", false, &fd);
        if (r < 0)
                return r;
        /* A container has no foreign ids: its own berth's layers have ids as they are. */
        if (plan->nested)
                return mount_attach_at(fd, stage, STAGE_STORE);

        r = overlay_foreign_map(plan, &map);
        if (r < 0)
                return r;
        r = idmap_open_namespace(&map, &foreign);
        if (r < 0)
                return r;
        r = mount_idmap(fd, foreign, 0, false);
        if (r < 0)
                return r;

        return mount_attach_at(fd, stage, STAGE_STORE);
}

int overlay_mount(
                Failure *failure, const LaunchPlan *plan, int stage, int layers, int lower, int *ret_tree) {
        /* In a container the extended attributes that overlays use by default are nobody's to set. */
        const FsOption options[] = {
                { "lowerdir", STAGE_PATH "/" STAGE_LOWER },
                { "upperdir", STAGE_PATH "/" STAGE_STORE "/upper" },
                { "workdir", STAGE_PATH "/" STAGE_STORE "/work" },
                { plan->nested ? "userxattr" : NULL, NULL },
                {},
        };
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = step_begin(failure, STEP_OVERLAY, "%s", root_object(plan->definition));
        if (r < 0)
                return r;

        r = mount_attach_at(lower, stage, STAGE_LOWER);
        if (r < 0)
                return r;

        if (layers >= 0)
                r = overlay_attach_store(plan, layers, stage);
        else
                r = overlay_attach_memory(failure, plan, stage);
        if (r < 0)
                return r;

        r = mount_new(failure, "overlay", options, root_attributes(plan), &fd);
        if (r < 0)
                return r;
        r = mount_attach_at(fd, stage, STAGE_ROOT);
        if (r < 0)
                return r;

        *ret_tree = TAKE_FD(fd);
        return 0;
}
