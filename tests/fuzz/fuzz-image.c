/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A disk image: whatever it says of itself, nothing beyond its end is read, and a root that is found lies within it.
 * The checksums are put right first, or no changed table would ever be looked into.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "spec/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Bytes {
        const uint8_t *data;
        uint64_t size;
} Bytes;

static void must(bool condition) {
        if (!condition)
                abort();
}

static int read_bytes(void *userdata, uint64_t offset, void *buffer, size_t size) {
        const Bytes *bytes = userdata;

        must(size <= bytes->size && offset <= bytes->size - size);
        memcpy(buffer, bytes->data + offset, size);
        return 0;
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

static uint64_t get(const uint8_t *p, size_t n) {
        uint64_t value = 0;

        while (n-- > 0)
                value = value << 8 | p[n];
        return value;
}

static void put32(uint8_t *p, uint32_t value) {
        for (unsigned i = 0; i < 4; i++)
                p[i] = (uint8_t) (value >> 8 * i);
}

static void repair(uint8_t *image, size_t size, size_t sector) {
        uint8_t *header = image + sector;
        uint64_t entries, length;

        if (size < sector + 92 || memcmp(header, "EFI PART", 8) != 0)
                return;

        entries = get(header + 72, 8);
        length = get(header + 80, 4) * get(header + 84, 4);
        if (entries < size / sector && length <= size - entries * sector)
                put32(header + 88, crc32(image + entries * sector, length));
        put32(header + 16, 0);
        put32(header + 16, crc32(header, 92));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        uint8_t *copy = malloc(size + 1);
        ImageRoot root = {};
        Bytes bytes = { .data = copy, .size = size };
        int r;

        must(copy);
        memcpy(copy, data, size);
        repair(copy, size, 512);
        repair(copy, size, 4096);

        r = image_probe(read_bytes, &bytes, size, &root);
        must(r >= 0 && image_error_text(r));
        if (r == 0)
                must(root.filesystem && root.offset <= size && root.size <= size - root.offset);
        free(copy);

        return 0;
}
