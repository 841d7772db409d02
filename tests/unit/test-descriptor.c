/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a descriptor proves, and how what it stands for is shown. */
#include <fcntl.h>
#include <linux/magic.h>

#include "helper/root/descriptor.h"
#include "test.h"

static void test_proof(void) {
        static const struct {
                mode_t mode;
                int flags;
                bool proven;
        } rows[] = {
                { S_IFDIR | 0700, O_RDONLY | O_DIRECTORY | O_NOATIME, true },
                { S_IFDIR | 01500, O_RDONLY | O_NOATIME, true },
                { S_IFDIR | 0700, O_RDONLY | O_DIRECTORY, false }, /* the mode was another when it was opened */
                { S_IFDIR | 0700, O_PATH | O_DIRECTORY | O_NOATIME, false },
                { S_IFDIR | 0710, O_RDONLY | O_NOATIME, false },
                { S_IFDIR | 0701, O_RDONLY | O_NOATIME, false },
                { S_IFDIR | 0755, O_RDONLY | O_NOATIME, false },
                { S_IFDIR | 0740, O_RDONLY | O_NOATIME, false }, /* the bits are also a list's */
                { S_IFREG | 0600, O_RDONLY | O_NOATIME, false },
                { S_IFREG | 0600, O_RDWR | O_NOATIME, false },
                { S_IFSOCK | 0700, O_RDONLY | O_NOATIME, false },
                { S_IFCHR | 0600, O_RDWR | O_NOATIME, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const struct stat st = { .st_mode = rows[i].mode };

                CHECK_INT(descriptor_is_proven(&st, rows[i].flags), rows[i].proven);
        }
}

static void test_storage(void) {
        CHECK(descriptor_type_is_storage(EXT4_SUPER_MAGIC));
        CHECK(descriptor_type_is_storage(TMPFS_MAGIC));
        CHECK(descriptor_type_is_storage(EROFS_SUPER_MAGIC_V1));
        CHECK(!descriptor_type_is_storage(PROC_SUPER_MAGIC));
        CHECK(!descriptor_type_is_storage(SYSFS_MAGIC));
        CHECK(!descriptor_type_is_storage(CGROUP2_SUPER_MAGIC));
        CHECK(!descriptor_type_is_storage(FUSE_SUPER_MAGIC));
        CHECK(!descriptor_type_is_storage(NFS_SUPER_MAGIC));
        CHECK(!descriptor_type_is_storage(0));
}

static void test_mounts_below(void) {
        static const char text[] =
                "20 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"
                "21 20 0:5 / /proc rw - proc proc rw\n"
                "22 20 0:6 / /srv/with\\040space/x rw - tmpfs tmpfs rw\n"
                "23 21 0:7 / /proc/sys/fs/binfmt_misc rw - autofs systemd-1 rw\n"
                "24 24 0:8 / / rw - rootfs none rw\n"
                "25 20 0:9 / /srv/on rw - tmpfs tmpfs rw\n";

        CHECK(descriptor_has_mounts(text, 20, "/"));
        CHECK(descriptor_has_mounts(text, 20, "/srv"));
        CHECK(descriptor_has_mounts(text, 20, "/srv/with space"));
        CHECK(descriptor_has_mounts(text, 20, "/srv/with space/x"));
        CHECK(descriptor_has_mounts(text, 20, "/srv/on"));
        CHECK(!descriptor_has_mounts(text, 20, "/srv/with"));
        CHECK(!descriptor_has_mounts(text, 20, "/srv/o"));
        CHECK(!descriptor_has_mounts(text, 20, "/srv/on/it"));
        CHECK(!descriptor_has_mounts(text, 20, "/etc"));
        CHECK(!descriptor_has_mounts(text, 22, "/"));
        CHECK(descriptor_has_mounts(text, 21, "/proc/sys"));
        CHECK(!descriptor_has_mounts(text, 24, "/"));
        CHECK(!descriptor_has_mounts("", 20, "/"));
        CHECK(!descriptor_has_mounts("junk\n20\n20 20 8:1 /", 20, "/"));
        CHECK(!descriptor_has_mounts("21 20 0:5 / /a\\04", 20, "/a/b"));
}

/* A user is root inside and nobody else. Who can write never gets a group that users may be in. */
static void test_user_map(void) {
        const Descriptor descriptor = { .owner = 1000, .group = 4, .proven = true };
        IdMap map;
        uint32_t id;

        descriptor_user_map(&descriptor, false, 600000, 600000, &map);
        CHECK(idmap_to_host(&map, ID_UID, 1000, &id));
        CHECK_INT(id, 600000);
        CHECK(!idmap_to_host(&map, ID_UID, 0, &id));
        CHECK(!idmap_to_host(&map, ID_UID, 1001, &id));
        CHECK(idmap_to_host(&map, ID_GID, 4, &id));
        CHECK_INT(id, 600000);

        descriptor_user_map(&descriptor, true, 600000, 600000, &map);
        CHECK(idmap_to_host(&map, ID_GID, 4, &id));
        CHECK_INT(id, 65534);
        CHECK(idmap_to_host(&map, ID_GID, FOREIGN_BASE, &id));
        CHECK_INT(id, 600000);
        CHECK(!idmap_to_host(&map, ID_GID, 0, &id));
        CHECK(!idmap_to_host(&map, ID_UID, FOREIGN_BASE, &id));
}

TESTS(test_proof, test_storage, test_mounts_below, test_user_map)
