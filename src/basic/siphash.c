/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/siphash.h"

#include <endian.h>
#include <string.h>

static uint64_t load64(const uint8_t *p) {
        uint64_t v;

        memcpy(&v, p, sizeof v);
        return le64toh(v);
}

static uint64_t rotate(uint64_t x, unsigned bits) {
        return (x << bits) | (x >> (64 - bits));
}

static void sip_rounds(uint64_t v[static 4], unsigned n) {
        for (unsigned i = 0; i < n; i++) {
                v[0] += v[1];
                v[1] = rotate(v[1], 13) ^ v[0];
                v[0] = rotate(v[0], 32);
                v[2] += v[3];
                v[3] = rotate(v[3], 16) ^ v[2];
                v[0] += v[3];
                v[3] = rotate(v[3], 21) ^ v[0];
                v[2] += v[1];
                v[1] = rotate(v[1], 17) ^ v[2];
                v[2] = rotate(v[2], 32);
        }
}

uint64_t siphash24(const void *data, size_t size, const uint8_t key[static 16]) {
        uint64_t k0 = load64(key), k1 = load64(key + 8);
        uint64_t v[4] = {
                k0 ^ UINT64_C(0x736f6d6570736575),
                k1 ^ UINT64_C(0x646f72616e646f6d),
                k0 ^ UINT64_C(0x6c7967656e657261),
                k1 ^ UINT64_C(0x7465646279746573),
        };
        const uint8_t *p = data;
        uint8_t last[8] = {};
        size_t whole = size / 8;
        uint64_t word;

        for (size_t i = 0; i < whole; i++, p += 8) {
                word = load64(p);
                v[3] ^= word;
                sip_rounds(v, 2);
                v[0] ^= word;
        }

        if (size % 8 > 0)
                memcpy(last, p, size % 8);
        last[7] = (uint8_t) size;
        word = load64(last);
        v[3] ^= word;
        sip_rounds(v, 2);
        v[0] ^= word;

        v[2] ^= 0xff;
        sip_rounds(v, 4);

        return v[0] ^ v[1] ^ v[2] ^ v[3];
}
