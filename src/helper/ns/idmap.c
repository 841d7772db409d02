/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/ns/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/syscall.h"
#include "basic/weaken.h"

static const IdRange whole_block = {
        .kinds = ID_UID | ID_GID,
        .inside = 0,
        .outside = ID_OUTSIDE_AUTO,
        .count = ID_BLOCK_SIZE,
};

bool id_ranges_need_block(const IdRange *ranges, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (ranges[i].outside == ID_OUTSIDE_AUTO)
                        return true;

        return n == 0;
}

int idmap_resolve(IdMap *map, const IdRange *ranges, size_t n, uint32_t base) {
        if (n == 0) {
                ranges = &whole_block;
                n = 1;
        }
        if (n > IDMAP_RANGES_MAX)
                return -E2BIG;

        *map = (IdMap) { .n = n };
        for (size_t i = 0; i < n; i++) {
                map->ranges[i] = ranges[i];
                if (ranges[i].outside != ID_OUTSIDE_AUTO)
                        continue;

                if (ranges[i].count > ID_BLOCK_SIZE || ranges[i].inside > ID_BLOCK_SIZE - ranges[i].count)
                        return -ERANGE;
                map->ranges[i].outside = base + ranges[i].inside;
        }

        return 0;
}

bool idmap_to_host(const IdMap *map, IdKind kind, uint32_t inside, uint32_t *ret) {
        for (size_t i = 0; i < map->n; i++) {
                const IdRange *range = &map->ranges[i];

                if ((range->kinds & kind) && inside >= range->inside && inside - range->inside < range->count) {
                        *ret = range->outside + (inside - range->inside);
                        return true;
                }
        }

        return false;
}

bool idmap_first(const IdMap *map, IdKind kind, uint32_t *ret_inside) {
        for (size_t i = 0; i < map->n; i++)
                if (map->ranges[i].kinds & kind) {
                        *ret_inside = map->ranges[i].inside;
                        return true;
                }

        return false;
}

bool idmap_is_identity(const IdMap *map) {
        for (size_t i = 0; i < map->n; i++)
                if (map->ranges[i].inside != map->ranges[i].outside)
                        return false;

        return true;
}

int idmap_foreign(const IdMap *map, IdMap *ret) {
        *ret = *map;
        for (size_t i = 0; i < ret->n; i++) {
                if (ret->ranges[i].inside > UINT32_MAX - FOREIGN_BASE - ret->ranges[i].count)
                        return -ERANGE;
                ret->ranges[i].inside += FOREIGN_BASE;
        }

        return 0;
}

static int idmap_write_kind(const IdMap *map, IdKind kind, int proc_dirfd, const char *file) {
        char text[IDMAP_RANGES_MAX * 40];
        size_t size = 0;

        for (size_t i = 0; i < map->n; i++) {
                int n;

                if (!(map->ranges[i].kinds & kind))
                        continue;

                n = snprintf(text + size, sizeof text - size, "%u %u %u\n", map->ranges[i].inside,
                             map->ranges[i].outside, map->ranges[i].count);
                if (n < 0 || (size_t) n >= sizeof text - size)
                        return -E2BIG;
                size += (size_t) n;
        }

        return size > 0 ? file_write(proc_dirfd, file, text) : 0;
}

/* Somebody who may drop a group can get past files that deny that group (CVE-2018-7169): a namespace that does not
 * have a whole block of its own may not change its groups. */
static bool idmap_is_block(const IdMap *map) {
        for (size_t i = 0; i < map->n; i++)
                if ((map->ranges[i].kinds & ID_GID) && map->ranges[i].count >= ID_BLOCK_SIZE)
                        return true;

        return false;
}

int idmap_write(const IdMap *map, int proc_dirfd) {
        int r;

        r = idmap_write_kind(map, ID_UID, proc_dirfd, "uid_map");
        if (r < 0)
                return r;

        if (!idmap_is_block(map) && !weakened(WEAKEN_SETGROUPS)) {
                r = file_write(proc_dirfd, "setgroups", "deny");
                if (r < 0)
                        return r;
        }

        return idmap_write_kind(map, ID_GID, proc_dirfd, "gid_map");
}

int idmap_open_namespace(const IdMap *map, int *ret_fd) {
        _cleanup_close_ int pidfd = -EBADF, proc = -EBADF;
        struct clone_args args = {
                .flags = CLONE_NEWUSER | CLONE_PIDFD,
                .pidfd = (uint64_t) (uintptr_t) &pidfd,
                .exit_signal = SIGCHLD,
        };
        char path[32];
        pid_t pid;
        int fd, r = 0;

        pid = sys_clone3(&args);
        if (pid < 0)
                return -errno;
        if (pid == 0)
                for (;;)
                        (void) pause();

        (void) snprintf(path, sizeof path, "/proc/%d", (int) pid);
        proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (proc < 0)
                r = -errno;
        if (r == 0)
                r = idmap_write(map, proc);

        fd = r == 0 ? openat(proc, "ns/user", O_RDONLY | O_CLOEXEC) : -EBADF;
        if (r == 0 && fd < 0)
                r = -errno;

        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);

        if (r < 0)
                return r;

        *ret_fd = fd;
        return 0;
}
