/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ring of a console's last output (manager/console/ring.h). */
#include <errno.h>

#include "manager/console/ring.h"
#include "test.h"

#define SIZE 16

typedef union Memory {
        RingHeader header;
        char bytes[RING_HEADER_SIZE + SIZE];
} Memory;

/* All from a position, as text. */
static const char *rest(const Ring *ring, uint64_t position) {
        static char text[SIZE + 1];
        const uint8_t *data;
        size_t size = 0, n;

        while ((n = ring_peek(ring, position, &data)) > 0) {
                REQUIRE(size + n <= SIZE);
                memcpy(text + size, data, n);
                size += n;
                position += n;
        }
        CHECK_INT(position, ring_end(ring));
        text[size] = '\0';
        return text;
}

static void say(Ring *ring, const char *text) {
        ring_append(ring, text, strlen(text));
}

static void test_keeps_the_last(void) {
        Memory memory;
        Ring ring;

        ring_init(&ring, &memory, sizeof memory);
        CHECK_INT(ring_begin(&ring), 0);
        CHECK_STR(rest(&ring, 0), "");

        say(&ring, "0123456789");
        CHECK_STR(rest(&ring, 0), "0123456789");
        CHECK_STR(rest(&ring, 7), "789");

        say(&ring, "abcdefghij");
        CHECK_INT(ring_begin(&ring), 4);
        CHECK_INT(ring_end(&ring), 20);
        CHECK_STR(rest(&ring, 4), "456789abcdefghij");

        say(&ring, "A piece that is longer than all of the ring");
        CHECK_INT(ring_end(&ring), 63);
        CHECK_STR(rest(&ring, ring_begin(&ring)), " all of the ring");
}

static void test_every_cut(void) {
        static const char text[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

        for (size_t step = 1; step <= 20; step++) {
                Memory memory;
                Ring ring;

                ring_init(&ring, &memory, sizeof memory);
                for (size_t at = 0; at < strlen(text); at += step) {
                        size_t n = strlen(text) - at < step ? strlen(text) - at : step, end = at + n;

                        ring_append(&ring, text + at, n);
                        CHECK_INT(ring_end(&ring), end);
                        CHECK(memcmp(rest(&ring, ring_begin(&ring)),
                                     text + ring_begin(&ring),
                                     end - ring_begin(&ring)) == 0);
                        CHECK_INT(strlen(rest(&ring, ring_begin(&ring))), end < SIZE ? end : SIZE);
                }
        }
}

static void test_where_to_start(void) {
        static const struct {
                const char *written, *start; /* what is shown of it */
        } rows[] = {
                { "abc\ndef", "abc\ndef" },                             /* nothing is missing */
                { "0123456789abcdefXYZ", "3456789abcdefXYZ" },         /* nothing better in the first quarter */
                { "0123ab\n789abcdefXYZ", "789abcdefXYZ" },            /* a line */
                { "0123\n\n6789abcdefXYZ", "\n6789abcdefXYZ" },
                { "0123a\033[1mabcdefghi", "\033[1mabcdefghi" },       /* an escape sequence */
                { "01\xe2\x82\xac" "56789abcdefXYZ", "56789abcdefXYZ" }, /* a character that is cut */
                { "01\xc3\xa4" "456789abcdefXYZ", "456789abcdefXYZ" },
                { "012\xc3\xa4" "56789abcdefXYZ", "\xc3\xa4" "56789abcdefXYZ" },
                { "0123\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80",
                  "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Memory memory;
                Ring ring;

                ring_init(&ring, &memory, sizeof memory);
                say(&ring, rows[i].written);
                CHECK_STR(rest(&ring, ring_resume(&ring, 0)), rows[i].start);
        }
}

static void test_adopt(void) {
        Memory memory;
        Ring ring, again;

        ring_init(&ring, &memory, sizeof memory);
        say(&ring, "0123456789abcdefghij");
        CHECK_INT(ring_adopt(&again, &memory, sizeof memory), 0);
        CHECK_STR(rest(&again, ring_begin(&again)), "456789abcdefghij");

        CHECK_INT(ring_adopt(&again, &memory, sizeof memory - 1), -EBADMSG);
        CHECK_INT(ring_adopt(&again, &memory, RING_HEADER_SIZE), -EBADMSG);
        memset(&memory, 0, sizeof memory);
        CHECK_INT(ring_adopt(&again, &memory, sizeof memory), -EBADMSG);
}

TESTS(test_keeps_the_last, test_every_cut, test_where_to_start, test_adopt)
