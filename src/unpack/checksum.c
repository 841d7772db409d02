/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unpack/checksum.h"

#include <string.h>

#define POLYNOMIAL UINT32_C(0xEDB88320) /* RFC 1952, 8 */

static const uint32_t *table(void) {
        static uint32_t entries[256];

        for (uint32_t i = 0; entries[255] == 0 && i < 256; i++) {
                uint32_t c = i;

                for (unsigned bit = 0; bit < 8; bit++)
                        c = c & 1 ? POLYNOMIAL ^ (c >> 1) : c >> 1;
                entries[i] = c;
        }

        return entries;
}

void checksum_note_packed(Checksum *checksum, const void *data, size_t size) {
        size_t kept = sizeof checksum->tail;

        if (size < kept) {
                memmove(checksum->tail, checksum->tail + size, kept - size);
                memcpy(checksum->tail + kept - size, data, size);
        } else
                memcpy(checksum->tail, (const uint8_t *) data + size - kept, kept);
}

void checksum_note_unpacked(Checksum *checksum, const void *data, size_t size) {
        const uint32_t *entries = table();
        const uint8_t *p = data;
        uint32_t state = checksum->state;

        for (size_t i = 0; i < size; i++)
                state = entries[(state ^ p[i]) & 0xff] ^ (state >> 8);

        checksum->state = state;
        checksum->size += size;
}

static uint32_t little_endian(const uint8_t *p) {
        return (uint32_t) p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16 | (uint32_t) p[3] << 24;
}

bool checksum_is_wrong(const Checksum *checksum) {
        return little_endian(checksum->tail + 4) == (uint32_t) checksum->size &&
               little_endian(checksum->tail) != ~checksum->state;
}
