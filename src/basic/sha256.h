/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SHA-256 (FIPS 180-4): names of things by their content. What has the same name has the same bytes, also
 * when somebody would like it otherwise. Written out here because the launcher links the C library only.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32
#define SHA256_TEXT_SIZE 65 /* as hexadecimal digits, with the NUL */

typedef struct Sha256 {
        uint32_t state[8];
        uint64_t size;
        uint8_t block[64];
} Sha256;

void sha256_init(Sha256 *hash);
void sha256_add(Sha256 *hash, const void *data, size_t size);
void sha256_finish(Sha256 *hash, uint8_t ret[static SHA256_SIZE]);

void sha256_text(const uint8_t digest[static SHA256_SIZE], char ret[static SHA256_TEXT_SIZE]);
