/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/ns/block.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/siphash.h"
#include "helper/ns/idmap.h"
#include "helper/ns/nested.h"
#include "helper/unit/lock.h"

#define BLOCK_PATH_SIZE (sizeof LOCK_BLOCKS + 16)
#define STAMP_SIZE 384
#define SUBID_FILE_MAX (1024 * 1024)

/* A fixed key: the hash only spreads names over the blocks. */
static const uint8_t block_hash_key[16] = "berth-id-blocks";

/* Reads NAME:START:COUNT lines and tells whether one of them touches the block. Lines that do not parse belong to
 * somebody else's tools and are passed over, as newuidmap does. */
static bool subid_text_touches(const char *text, uint32_t base) {
        while (text && *text) {
                const char *end = strchrnul(text, '\n');
                unsigned long long start, count;
                const char *colon = memchr(text, ':', (size_t) (end - text));

                if (colon && sscanf(colon, ":%llu:%llu", &start, &count) == 2 &&
                    start < (unsigned long long) base + ID_BLOCK_SIZE &&
                    (count > UINT32_MAX || start + count > base))
                        return true;

                text = *end ? end + 1 : end;
        }

        return false;
}

/* Does a user or group that the host knows, from wherever, have the block's first id? */
static bool block_has_user(uint32_t base) {
        return getpwuid(base) || getgrgid(base);
}

/* Asking NSS costs as much as all the rest of a start, so that a block was found free is noted in the lock's file, for
 * as long as these files are the same, at most until the host's next boot. */
static void block_stamp(char stamp[static STAMP_SIZE]) {
        static const char *const databases[] = { "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/subuid",
                                                  "/etc/subgid" };
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(databases); i++) {
                struct stat st = {};
                int written;

                (void) stat(databases[i], &st);
                written = snprintf(stamp + n, STAMP_SIZE - n, "%llu.%09lu:%llu ", (unsigned long long) st.st_mtim.tv_sec,
                                   (unsigned long) st.st_mtim.tv_nsec, (unsigned long long) st.st_ino);
                if (written > 0 && (size_t) written < STAMP_SIZE - n)
                        n += (size_t) written;
        }
}

static void block_path(uint32_t base, char path[static BLOCK_PATH_SIZE]) {
        (void) snprintf(path, BLOCK_PATH_SIZE, LOCK_BLOCKS "/%u", base);
}

/* Only with the lock held. */
static void block_unlink(uint32_t base) {
        char path[BLOCK_PATH_SIZE];

        block_path(base, path);
        (void) unlink(path);
}

/* The block that a guest had before its reboot, by the name of the lock's file. */
static int block_from_store(FdStore *store, uint32_t *ret_base) {
        for (size_t i = 0; i < store->n_locks; i++) {
                char link[64], path[128];
                unsigned base;
                ssize_t n;

                (void) snprintf(link, sizeof link, "/proc/self/fd/%d", store->locks[i].fd);
                n = readlink(link, path, sizeof path - 1);
                if (n < 0)
                        return -errno;
                path[n] = '\0';

                if (store->locks[i].received && sscanf(path, LOCK_BLOCKS "/%u", &base) == 1 &&
                    base >= BLOCK_BASE_MIN && base <= BLOCK_BASE_MAX && base % ID_BLOCK_SIZE == 0) {
                        store->locks[i].used = true;
                        *ret_base = base;
                        return 0;
                }
        }

        return -ENOENT;
}

/* What /etc/subuid and /etc/subgid say; read only when it is needed. */
typedef struct Subids {
        char *subuid, *subgid;
        bool loaded;
} Subids;

static void subids_done(Subids *subids) {
        free(subids->subuid);
        free(subids->subgid);
}

static int subids_load(Subids *subids) {
        int r;

        if (subids->loaded)
                return 0;

        r = file_read(AT_FDCWD, "/etc/subuid", SUBID_FILE_MAX, &subids->subuid, NULL);
        if (r < 0 && r != -ENOENT)
                return r;
        r = file_read(AT_FDCWD, "/etc/subgid", SUBID_FILE_MAX, &subids->subgid, NULL);
        if (r < 0 && r != -ENOENT)
                return r;

        subids->loaded = true;
        return 0;
}

static bool subids_touch(const Subids *subids, uint32_t base) {
        return subid_text_touches(subids->subuid, base) || subid_text_touches(subids->subgid, base);
}

/* Is the block nobody's? Called with its lock held. */
static int block_is_free(uint32_t base, int lock, Subids *subids) {
        char stamp[STAMP_SIZE] = {}, noted[STAMP_SIZE] = {};
        int r;

        block_stamp(stamp);
        if (pread(lock, noted, sizeof noted - 1, 0) > 0 && strcmp(stamp, noted) == 0)
                return 1;

        r = subids_load(subids);
        if (r < 0)
                return r;
        if (subids_touch(subids, base) || block_has_user(base))
                return 0;

        /* A note that cannot be written, or only in part, is no note: the next start asks again. */
        if (ftruncate(lock, 0) < 0 || (pwrite(lock, stamp, strlen(stamp), 0) < 0 && errno != ENOSPC))
                return -errno;
        return 1;
}

int block_acquire(FdStore *store, const char *name, uint32_t *ret_base) {
        const uint32_t first = BLOCK_BASE_MIN / ID_BLOCK_SIZE;
        const uint32_t n_blocks = BLOCK_BASE_MAX / ID_BLOCK_SIZE - first + 1;
        _cleanup_(subids_done) Subids subids = {};
        _cleanup_(own_ids_done) OwnIds own = OWN_IDS_ALL;
        uint32_t start;
        int r;

        r = block_from_store(store, ret_base);
        if (r != -ENOENT)
                return r;

        r = own_ids_load(&own);
        if (r < 0)
                return r;
        start = (uint32_t) (siphash24(name, strlen(name), block_hash_key) % n_blocks);
        for (uint32_t i = 0; i < n_blocks; i++) {
                uint32_t base = (first + (start + i) % n_blocks) * ID_BLOCK_SIZE;
                _cleanup_close_ int fd = -EBADF;
                char id[16];

                if (!own_ids_have(&own, base, ID_BLOCK_SIZE) ||
                    (subids.loaded && subids_touch(&subids, base)))
                        continue;

                (void) snprintf(id, sizeof id, "%u", base);
                r = lock_acquire(LOCK_BLOCKS, id, LOCK_EX, &fd);
                if (r == -EWOULDBLOCK)
                        continue;
                if (r < 0)
                        return r;
                r = block_is_free(base, fd, &subids);
                if (r <= 0)
                        block_unlink(base);
                if (r < 0)
                        return r;
                if (r == 0)
                        continue;

                r = fd_store_add(store, TAKE_FD(fd));
                if (r < 0)
                        return r;

                *ret_base = base;
                return 0;
        }

        return BLOCK_E_NONE;
}
