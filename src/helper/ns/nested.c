/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/ns/nested.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/cleanup.h"
#include "basic/file.h"

#define USER_NAMESPACE_INITIAL 0xEFFFFFFDU /* its inode, in all kernels (PROC_USER_INIT_INO) */
#define MAP_SIZE_MAX 65536

bool nested(void) {
        struct stat st;

        return stat("/proc/self/ns/user", &st) == 0 && st.st_ino != USER_NAMESPACE_INITIAL;
}

void own_ids_done(OwnIds *ids) {
        free(ids->uid_map);
        free(ids->gid_map);
        *ids = OWN_IDS_ALL;
}

int own_ids_load(OwnIds *ret) {
        _cleanup_(own_ids_done) OwnIds ids = OWN_IDS_ALL;
        int r;

        if (nested()) {
                r = file_read(AT_FDCWD, "/proc/self/uid_map", MAP_SIZE_MAX, &ids.uid_map, NULL);
                if (r < 0)
                        return r;
                r = file_read(AT_FDCWD, "/proc/self/gid_map", MAP_SIZE_MAX, &ids.gid_map, NULL);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_VALUE(ids, OWN_IDS_ALL);
        return 0;
}

/* Lines of INSIDE OUTSIDE COUNT; what one has is not pieced together from several. */
static bool map_has(const char *map, uint32_t first, uint32_t count) {
        for (; map && *map; map = strchr(map, '\n') ? strchr(map, '\n') + 1 : NULL) {
                unsigned long long inside, outside, length;

                if (sscanf(map, "%llu %llu %llu", &inside, &outside, &length) == 3 && inside <= first &&
                    (unsigned long long) first + count <= inside + length)
                        return true;
        }

        return false;
}

bool own_ids_have(const OwnIds *ids, uint32_t first, uint32_t count) {
        if (!ids->uid_map || !ids->gid_map)
                return true;

        return map_has(ids->uid_map, first, count) && map_has(ids->gid_map, first, count);
}
