/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The last bytes of an endless stream, in memory that is given to it and may outlive the process that wrote it: one
 * header and the bytes. Readers keep a position of their own, counted from the stream's first byte, so that any
 * number of them shares one ring and each can tell how much it missed.
 *
 * Nothing here allocates or calls the system. A writer that is killed in the middle leaves a ring that can be used:
 * the end is moved, in one store, after the bytes are there.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define RING_HEADER_SIZE 64

typedef struct RingHeader {
        char magic[8];
        uint64_t size; /* of the bytes after the header */
        uint64_t end;  /* bytes that were ever written */
} RingHeader;

typedef struct Ring {
        RingHeader *header; /* NULL: no ring */
        uint8_t *data;
        size_t size;
} Ring;

#define RING_NULL ((Ring) { .header = NULL })

/* Makes an empty ring of memory that is larger than RING_HEADER_SIZE and suits a RingHeader. */
void ring_init(Ring *ring, void *memory, size_t memory_size);

/* Takes up a ring that was made by ring_init() in memory of this size; -EBADMSG if it is none. */
int ring_adopt(Ring *ring, void *memory, size_t memory_size);

void ring_append(Ring *ring, const void *data, size_t size);

/* The positions of the oldest byte that is there, and after the newest. */
uint64_t ring_begin(const Ring *ring);
uint64_t ring_end(const Ring *ring);

/* The bytes that follow POSITION in one piece, which stays valid until the next ring_append(): how many, 0 at the end.
 * POSITION is between begin and end. */
size_t ring_peek(const Ring *ring, uint64_t position, const uint8_t **ret);

/* Where a terminal that has not seen what came before can start, at or after POSITION (which may be before the begin):
 * at the stream's first byte, the start of a line or of an escape sequence, or else that of a character. */
uint64_t ring_resume(const Ring *ring, uint64_t position);
