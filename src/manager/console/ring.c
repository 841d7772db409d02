/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/console/ring.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "basic/macro.h"

static const char magic[8] = { 'b', 'e', 'r', 't', 'h', '-', 'r', '1' };

_Static_assert(sizeof(RingHeader) <= RING_HEADER_SIZE, "the header has to fit");

static void ring_place(Ring *ring, void *memory, size_t memory_size) {
        *ring = (Ring) {
                .header = memory,
                .data = (uint8_t *) memory + RING_HEADER_SIZE,
                .size = memory_size - RING_HEADER_SIZE,
        };
}

void ring_init(Ring *ring, void *memory, size_t memory_size) {
        ring_place(ring, memory, memory_size);
        *ring->header = (RingHeader) { .size = ring->size };
        memcpy(ring->header->magic, magic, sizeof magic);
}

int ring_adopt(Ring *ring, void *memory, size_t memory_size) {
        const RingHeader *header = memory;

        if (memory_size <= RING_HEADER_SIZE || memcmp(header->magic, magic, sizeof magic) != 0 ||
            header->size != memory_size - RING_HEADER_SIZE)
                return -EBADMSG;

        ring_place(ring, memory, memory_size);
        return 0;
}

uint64_t ring_end(const Ring *ring) {
        return ring->header->end;
}

uint64_t ring_begin(const Ring *ring) {
        uint64_t end = ring_end(ring);

        return end > ring->size ? end - ring->size : 0;
}

void ring_append(Ring *ring, const void *data, size_t size) {
        const uint8_t *bytes = data;
        uint64_t end = ring_end(ring);

        if (size > ring->size) {
                end += size - ring->size;
                bytes += size - ring->size;
                size = ring->size;
        }

        while (size > 0) {
                size_t offset = (size_t) (end % ring->size), n = ring->size - offset;

                if (n > size)
                        n = size;
                memcpy(ring->data + offset, bytes, n);
                bytes += n;
                size -= n;
                end += n;
        }

        __atomic_store_n(&ring->header->end, end, __ATOMIC_RELEASE);
}

size_t ring_peek(const Ring *ring, uint64_t position, const uint8_t **ret) {
        size_t offset = (size_t) (position % ring->size), n = ring->size - offset;
        uint64_t left = ring_end(ring) - position;

        *ret = ring->data + offset;
        return left < n ? (size_t) left : n;
}

static uint8_t ring_at(const Ring *ring, uint64_t position) {
        return ring->data[position % ring->size];
}

uint64_t ring_resume(const Ring *ring, uint64_t position) {
        uint64_t begin = ring_begin(ring), end = ring_end(ring), limit, character;

        if (position < begin)
                position = begin;
        if (position == 0)
                return 0;

        /* How much of what is there may be passed over to find a good place. */
        limit = end - position > ring->size / 4 ? position + ring->size / 4 : end;
        for (uint64_t i = position; i < limit; i++) {
                if (ring_at(ring, i) == '\n')
                        return i + 1;
                if (ring_at(ring, i) == '\033')
                        return i;
        }

        /* The rest of a character has at most three bytes. */
        for (character = position; character < end && character < position + 3; character++)
                if ((ring_at(ring, character) & 0xC0) != 0x80)
                        break;

        return character;
}
