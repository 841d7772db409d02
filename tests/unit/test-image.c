/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a disk image holds: file systems by their signature, roots by the type of their partition, damage. */
#include <errno.h>
#include <stdint.h>

#include "basic/string.h"
#include "spec/image.h"
#include "spec/limits.h"
#include "test.h"

#define SECTOR 512
#define SECTORS 400
#define ENTRIES 2 /* the sector where they begin */
#define FIRST 34  /* that partitions may use */

#define LINUX "0fc63daf-8483-4772-8e79-3d69d8477de4"
#define SWAP "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f"

static uint8_t image[SECTORS * SECTOR];

static int read_image(void *userdata, uint64_t offset, void *buffer, size_t size) {
        const uint64_t *limit = userdata;

        REQUIRE(size <= *limit && offset <= *limit - size);
        memcpy(buffer, image + offset, size);
        return 0;
}

static int failing_read(void *userdata, uint64_t offset, void *buffer, size_t size) {
        return -EIO;
}

static int probe(uint64_t size, ImageRoot *ret) {
        return image_probe(read_image, &size, size, ret);
}

static void put(size_t offset, uint64_t value, size_t size) {
        for (size_t i = 0; i < size; i++)
                image[offset + i] = (uint8_t) (value >> 8 * i);
}

static uint32_t crc32(const uint8_t *data, size_t size) {
        uint32_t crc = ~UINT32_C(0);

        for (size_t i = 0; i < size; i++) {
                crc ^= data[i];
                for (unsigned bit = 0; bit < 8; bit++)
                        crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
        }

        return ~crc;
}

static void put_guid(size_t offset, const char *text) {
        static const unsigned order[] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
        size_t n = 0;

        for (const char *p = text; *p; p++) {
                unsigned byte;

                if (*p == '-')
                        continue;
                REQUIRE(sscanf(p, "%2x", &byte) == 1);
                image[offset + order[n++]] = (uint8_t) byte;
                p++;
        }
}

static void checksums(size_t sector) {
        put(sector + 88, crc32(image + ENTRIES * sector, 128 * 128), 4);
        put(sector + 16, 0, 4);
        put(sector + 16, crc32(image + sector, 92), 4);
}

static void table(size_t sector) {
        memset(image, 0, sizeof image);
        put(510, 0xaa55, 2); /* the protective one before it */
        memcpy(image + sector, "EFI PART", 8);
        put(sector + 8, 0x00010000, 4);
        put(sector + 12, 92, 4);
        put(sector + 24, 1, 8);
        put(sector + 40, sector == SECTOR ? FIRST : 6, 8);
        put(sector + 48, sizeof image / sector - 1, 8);
        put(sector + 72, ENTRIES, 8);
        put(sector + 80, 128, 4);
        put(sector + 84, 128, 4);
        checksums(sector);
}

static void partition(unsigned index, const char *type, uint64_t first, uint64_t last, uint64_t attributes) {
        size_t entry = ENTRIES * SECTOR + index * 128;

        put_guid(entry, type);
        put(entry + 32, first, 8);
        put(entry + 40, last, 8);
        put(entry + 48, attributes, 8);
        checksums(SECTOR);
}

static void filesystem(uint64_t sector) {
        put(sector * SECTOR + 1024 + 56, 0xef53, 2);
}

static void test_filesystems(void) {
        static const struct {
                const char *name;
                size_t offset;
                const char *magic;
        } rows[] = {
                { "ext4", 1080, "\x53\xef" },
                { "xfs", 0, "XFSB" },
                { "btrfs", 65600, "_BHRfS_M" },
                { "f2fs", 1024, "\x10\x20\xf5\xf2" },
                { "squashfs", 0, "hsqs" },
                { "erofs", 1024, "\xe2\xe1\xf5\xe0" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                size_t end = rows[i].offset + strlen(rows[i].magic);
                ImageRoot root = {};

                memset(image, 0, sizeof image);
                memcpy(image + rows[i].offset, rows[i].magic, strlen(rows[i].magic));
                CHECK_INT(probe(sizeof image, &root), 0);
                CHECK_STR(root.filesystem, rows[i].name);
                CHECK_INT(root.offset, 0);
                CHECK_INT(root.size, sizeof image);
                CHECK_INT(probe(end, &root), 0);
                CHECK_INT(probe(end - 1, &root), IMAGE_E_UNKNOWN);
        }
}

static void test_no_image(void) {
        ImageRoot root;

        memset(image, 0, sizeof image);
        CHECK_INT(probe(0, &root), IMAGE_E_UNKNOWN);
        CHECK_INT(probe(sizeof image, &root), IMAGE_E_UNKNOWN);
        memcpy(image, "LUKS\xba\xbe", 6);
        CHECK_INT(probe(sizeof image, &root), IMAGE_E_ENCRYPTED);
        memset(image, 0, sizeof image);
        put(510, 0xaa55, 2);
        CHECK_INT(probe(sizeof image, &root), IMAGE_E_OLD_TABLE);
        CHECK_INT(image_probe(failing_read, NULL, sizeof image, &root), -EIO);
        for (int error = IMAGE_E_UNKNOWN; error <= IMAGE_E_MANY_ROOTS; error++)
                CHECK(strlen(image_error_text(error)) > 10);
}

static void test_roots(void) {
        ImageRoot root = {};

        table(SECTOR);
        CHECK_INT(probe(sizeof image, &root), IMAGE_E_NO_ROOT);
        partition(0, SWAP, 34, 39, 0);
        CHECK_INT(probe(sizeof image, &root), IMAGE_E_NO_ROOT);

        /* The only one with data of Linux, though it comes late in the table. */
        partition(127, LINUX, 40, 59, 0);
        CHECK_INT(probe(sizeof image, &root), IMAGE_E_UNKNOWN);
        filesystem(40);
        CHECK_INT(probe(sizeof image, &root), 0);
        CHECK_INT(root.offset, 40 * SECTOR);
        CHECK_INT(root.size, 20 * SECTOR);
        CHECK(!root.read_only);
        partition(5, LINUX, 60, 69, 0);
        CHECK_INT(probe(sizeof image, &root), IMAGE_E_NO_ROOT);

        /* A root goes before those. */
        partition(6, ROOT_PARTITION_TYPE, 100, SECTORS - 1, UINT64_C(1) << 60);
        filesystem(100);
        CHECK_INT(probe(sizeof image, &root), 0);
        CHECK_INT(root.offset, 100 * SECTOR);
        CHECK(root.read_only);
        partition(7, ROOT_PARTITION_TYPE, 70, 79, 0);
        CHECK_INT(probe(sizeof image, &root), IMAGE_E_MANY_ROOTS);
        partition(7, ROOT_PARTITION_TYPE, 70, 79, UINT64_C(1) << 63);
        CHECK_INT(probe(sizeof image, &root), 0);
        CHECK_INT(root.offset, 100 * SECTOR);
}

static void test_large_sectors(void) {
        ImageRoot root = {};
        size_t entry = ENTRIES * 4096;

        table(4096);
        put_guid(entry, LINUX);
        put(entry + 32, 10, 8);
        put(entry + 40, 19, 8);
        checksums(4096);
        put(10 * 4096 + 1080, 0xef53, 2);
        CHECK_INT(probe(sizeof image, &root), 0);
        CHECK_INT(root.offset, 10 * 4096);
        CHECK_INT(root.size, 10 * 4096);
}

/* Every change of a header that has its checksum right but makes no sense, and every byte without. */
static void test_damage(void) {
        static const struct {
                size_t offset;
                uint64_t value;
                size_t size;
        } rows[] = {
                { 8, 0x00020000, 4 },  { 12, 91, 4 },          { 12, 512, 4 },       { 24, 2, 8 },
                { 40, 399, 8 },        { 48, SECTORS, 8 },     { 48, UINT64_MAX, 8 }, { 48, 20, 8 },
                { 72, 1, 8 },          { 72, SECTORS, 8 },     { 72, UINT64_MAX, 8 }, { 72, UINT64_MAX / SECTOR, 8 },
                { 80, 1025, 4 },       { 80, UINT32_MAX, 4 },  { 84, 127, 4 },       { 84, 8192, 4 },
                { 84, UINT32_MAX, 4 },
        };
        ImageRoot root;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                table(SECTOR);
                partition(0, LINUX, 40, 59, 0);
                filesystem(40);
                CHECK_INT(probe(sizeof image, &root), 0);
                put(SECTOR + rows[i].offset, rows[i].value, rows[i].size);
                put(SECTOR + 16, 0, 4);
                put(SECTOR + 16, crc32(image + SECTOR, 92), 4);
                CHECK_INT(probe(sizeof image, &root), IMAGE_E_TABLE);
        }

        table(SECTOR);
        partition(0, LINUX, 40, 59, 0);
        filesystem(40);
        for (size_t i = 8; i < 92; i++) {
                image[SECTOR + i] ^= 1;
                CHECK_INT(probe(sizeof image, &root), IMAGE_E_TABLE);
                image[SECTOR + i] ^= 1;
        }
        image[ENTRIES * SECTOR + 3 * 128 + 60] ^= 1;
        CHECK_INT(probe(sizeof image, &root), IMAGE_E_TABLE);

        /* Partitions that lie where none can, and an image that was cut. */
        static const uint64_t places[][2] = { { 1, 59 }, { 40, SECTORS }, { 59, 40 }, { 40, UINT64_MAX } };
        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                table(SECTOR);
                partition(0, LINUX, places[i][0], places[i][1], 0);
                CHECK_INT(probe(sizeof image, &root), IMAGE_E_TABLE);
        }
        table(SECTOR);
        CHECK_INT(probe(sizeof image - 1, &root), IMAGE_E_TABLE);
        CHECK_INT(probe(4 * SECTOR, &root), IMAGE_E_TABLE);
}

TESTS(test_filesystems, test_no_image, test_roots, test_large_sectors, test_damage)
