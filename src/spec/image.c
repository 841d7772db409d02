/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/image.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "basic/string.h"
#include "spec/limits.h"

#define GUID_TEXT_SIZE 37
#define GPT_HEADER_SIZE 92
#define GPT_ENTRY_SIZE 128
#define GPT_NO_AUTO (UINT64_C(1) << 63)
#define GPT_READ_ONLY (UINT64_C(1) << 60)

typedef struct Image {
        ImageRead read;
        void *userdata;
        uint64_t size;
} Image;

#define TYPE_LINUX "0fc63daf-8483-4772-8e79-3d69d8477de4"
#define TYPE_UNUSED "00000000-0000-0000-0000-000000000000"

static const struct {
        const char *name;
        uint64_t offset;
        const char *magic;
        size_t size;
} signatures[] = {
        { "crypto_LUKS", 0, "LUKS\xba\xbe", 6 },
        { "btrfs", 65536 + 64, "_BHRfS_M", 8 },
        { "xfs", 0, "XFSB", 4 },
        { "squashfs", 0, "hsqs", 4 },
        { "erofs", 1024, "\xe2\xe1\xf5\xe0", 4 },
        { "f2fs", 1024, "\x10\x20\xf5\xf2", 4 },
        { "ext4", 1024 + 56, "\x53\xef", 2 }, /* ext2 and ext3 as well, which ext4 mounts */
};

const char *image_error_text(int error) {
        switch (error) {
        case IMAGE_E_UNKNOWN:
                return "it holds neither a partition table nor a file system that berth knows: ext4, xfs, btrfs, "
                       "f2fs, squashfs, erofs";
        case IMAGE_E_ENCRYPTED:
                return "it is encrypted, which is not supported yet";
        case IMAGE_E_TABLE:
                return "its GUID partition table is damaged";
        case IMAGE_E_OLD_TABLE:
                return "it has a DOS partition table, where nothing tells which partition is the root; make a GUID "
                       "partition table or an image of the file system alone";
        case IMAGE_E_NO_ROOT:
                return "its partition table has no root partition for this architecture, nor just one of Linux data";
        case IMAGE_E_MANY_ROOTS:
                return "its partition table has more than one root partition";
        default:
                return strerror(-error);
        }
}

static int image_read(const Image *image, uint64_t offset, void *buffer, size_t size) {
        if (size > image->size || offset > image->size - size)
                return -ENODATA;

        return image->read(image->userdata, offset, buffer, size);
}

/* A signature that would lie beyond the end is not there. */
static int probe_filesystem(const Image *image, ImageRoot *root) {
        for (size_t i = 0; i < ELEMENTSOF(signatures); i++) {
                char magic[8];
                int r;

                if (signatures[i].size > root->size || signatures[i].offset > root->size - signatures[i].size)
                        continue;
                r = image_read(image, root->offset + signatures[i].offset, magic, signatures[i].size);
                if (r < 0)
                        return r;
                if (memcmp(magic, signatures[i].magic, signatures[i].size) != 0)
                        continue;
                if (i == 0)
                        return IMAGE_E_ENCRYPTED;

                root->filesystem = signatures[i].name;
                return 0;
        }

        return IMAGE_E_UNKNOWN;
}

/* The CRC-32 of IEEE 802.3, continued from CRC (0 at first). */
static uint32_t crc32_add(uint32_t crc, const uint8_t *data, size_t size) {
        crc = ~crc;
        for (size_t i = 0; i < size; i++) {
                crc ^= data[i];
                for (unsigned bit = 0; bit < 8; bit++)
                        crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
        }

        return ~crc;
}

static uint32_t get32(const uint8_t *p) {
        uint32_t value;

        memcpy(&value, p, sizeof value);
        return le32toh(value);
}

static uint64_t get64(const uint8_t *p) {
        uint64_t value;

        memcpy(&value, p, sizeof value);
        return le64toh(value);
}

/* Its first three fields are little-endian, the rest is in the order in which it is written. */
static void guid_text(const uint8_t *guid, char ret[static GUID_TEXT_SIZE]) {
        (void) snprintf(ret, GUID_TEXT_SIZE, "%08x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", get32(guid),
                        guid[5], guid[4], guid[7], guid[6], guid[8], guid[9], guid[10], guid[11], guid[12], guid[13],
                        guid[14], guid[15]);
}

typedef struct Table {
        uint64_t sector; /* bytes */
        uint64_t entries;
        uint32_t n_entries, entry_size, entries_crc;
        uint64_t first, last; /* sectors that partitions may use */
} Table;

/* The primary header in the second sector; the one at the end is for repair tools. */
static int table_read_header(const Image *image, uint64_t sector, Table *ret) {
        uint8_t header[GPT_HEADER_SIZE], zero[4] = {};
        uint32_t crc;
        int r;

        r = image_read(image, sector, header, sizeof header);
        if (r == -ENODATA)
                return IMAGE_E_UNKNOWN;
        if (r < 0)
                return r;
        if (memcmp(header, "EFI PART", 8) != 0)
                return IMAGE_E_UNKNOWN;

        if (get32(header + 8) != 0x00010000 || get32(header + 12) != GPT_HEADER_SIZE || get64(header + 24) != 1)
                return IMAGE_E_TABLE;
        crc = crc32_add(0, header, 16);
        crc = crc32_add(crc, zero, 4);
        crc = crc32_add(crc, header + 20, GPT_HEADER_SIZE - 20);
        if (crc != get32(header + 16))
                return IMAGE_E_TABLE;

        *ret = (Table) {
                .sector = sector,
                .first = get64(header + 40),
                .last = get64(header + 48),
                .n_entries = get32(header + 80),
                .entry_size = get32(header + 84),
                .entries_crc = get32(header + 88),
        };
        if (ret->n_entries > IMAGE_PARTITIONS_MAX || ret->entry_size < GPT_ENTRY_SIZE ||
            ret->entry_size > IMAGE_PARTITION_ENTRY_MAX || get64(header + 72) < 2 ||
            get64(header + 72) > image->size / sector || ret->last < ret->first || ret->last >= image->size / sector)
                return IMAGE_E_TABLE;

        ret->entries = get64(header + 72) * sector;
        return 0;
}

typedef struct Candidates {
        ImageRoot roots, linux_data;
        unsigned n_roots, n_linux;
} Candidates;

static int table_take_entry(const Table *table, const uint8_t *entry, Candidates *candidates) {
        uint64_t first = get64(entry + 32), last = get64(entry + 40), attributes = get64(entry + 48);
        char type[GUID_TEXT_SIZE];
        ImageRoot partition;

        guid_text(entry, type);
        if (streq(type, TYPE_UNUSED))
                return 0;
        if (first < table->first || last > table->last || last < first)
                return IMAGE_E_TABLE;
        if (attributes & GPT_NO_AUTO)
                return 0;

        partition = (ImageRoot) {
                .offset = first * table->sector,
                .size = (last - first + 1) * table->sector,
                .read_only = attributes & GPT_READ_ONLY,
        };
        if (streq(type, ROOT_PARTITION_TYPE)) {
                candidates->n_roots++;
                candidates->roots = partition;
        }
        if (streq(type, TYPE_LINUX)) {
                candidates->n_linux++;
                candidates->linux_data = partition;
        }

        return 0;
}

static int table_find_root(const Image *image, const Table *table, ImageRoot *ret) {
        Candidates candidates = {};
        uint32_t crc = 0;
        int r;

        for (uint32_t i = 0; i < table->n_entries; i++) {
                uint8_t entry[IMAGE_PARTITION_ENTRY_MAX];

                r = image_read(image, table->entries + (uint64_t) i * table->entry_size, entry, table->entry_size);
                if (r == -ENODATA)
                        return IMAGE_E_TABLE;
                if (r < 0)
                        return r;
                crc = crc32_add(crc, entry, table->entry_size);
                r = table_take_entry(table, entry, &candidates);
                if (r != 0)
                        return r;
        }
        if (crc != table->entries_crc)
                return IMAGE_E_TABLE;

        if (candidates.n_roots > 1)
                return IMAGE_E_MANY_ROOTS;
        if (candidates.n_roots == 0 && candidates.n_linux != 1)
                return IMAGE_E_NO_ROOT;

        *ret = candidates.n_roots == 1 ? candidates.roots : candidates.linux_data;
        return 0;
}

/* In the second sector, whatever the size of a sector was to who made the table. */
static int probe_table(const Image *image, ImageRoot *ret) {
        static const uint64_t sectors[] = { 512, 4096 };
        int r = IMAGE_E_UNKNOWN;

        for (size_t i = 0; i < ELEMENTSOF(sectors) && r == IMAGE_E_UNKNOWN; i++) {
                Table table;

                r = table_read_header(image, sectors[i], &table);
                if (r == 0)
                        return table_find_root(image, &table, ret);
        }

        return r;
}

static int probe_old_table(const Image *image) {
        uint8_t signature[2];
        int r;

        r = image_read(image, 510, signature, sizeof signature);
        if (r < 0 && r != -ENODATA)
                return r;

        return r == 0 && signature[0] == 0x55 && signature[1] == 0xaa ? IMAGE_E_OLD_TABLE : IMAGE_E_UNKNOWN;
}

int image_probe(ImageRead read, void *userdata, uint64_t size, ImageRoot *ret) {
        const Image image = { .read = read, .userdata = userdata, .size = size };
        ImageRoot root = { .size = size };
        int r;

        /* A file system that fills the image has no table: some begin where a table would. */
        r = probe_filesystem(&image, &root);
        if (r == IMAGE_E_UNKNOWN) {
                r = probe_table(&image, &root);
                if (r == 0)
                        r = probe_filesystem(&image, &root);
                else if (r == IMAGE_E_UNKNOWN)
                        r = probe_old_table(&image);
        }
        if (r == 0)
                *ret = root;

        return r;
}
