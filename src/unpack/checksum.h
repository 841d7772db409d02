/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The checksum at the end of a gzip file, which libarchive passes over: a damaged file would be unpacked as if nothing
 * were wrong. A file that was put together from several has one for each, and only the last is at its end: of such a
 * file, which is told by its size, nothing can be said here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Checksum {
        uint32_t state;   /* of what was unpacked */
        uint64_t size;
        uint8_t tail[8];  /* the last bytes of the file */
} Checksum;

#define CHECKSUM_NULL ((Checksum) { .state = UINT32_MAX })

/* More of the file, and more of what was unpacked. */
void checksum_note_packed(Checksum *checksum, const void *data, size_t size);
void checksum_note_unpacked(Checksum *checksum, const void *data, size_t size);

/* After all of both: does the file say something else of what is in it? */
bool checksum_is_wrong(const Checksum *checksum);
