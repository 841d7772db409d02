/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text helpers; see string.h. Nothing here depends on the locale.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "basic/weaken.h"

bool streq_null(const char *a, const char *b) {
        return a && b ? streq(a, b) : a == b;
}

const char *string_after_prefix(const char *s, const char *prefix) {
        size_t n = strlen(prefix);

        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

bool string_ends_with(const char *s, const char *suffix) {
        size_t n = strlen(s), m = strlen(suffix);

        return n >= m && streq(s + n - m, suffix);
}

char *string_strip(char *s) {
        size_t n;

        s += strspn(s, WHITESPACE);
        n = strlen(s);
        while (n > 0 && strchr(WHITESPACE, s[n - 1]))
                n--;
        s[n] = '\0';

        return s;
}

int string_set(char **s, const char *value) {
        char *copy = NULL;

        if (value) {
                copy = strdup(value);
                if (!copy)
                        return -ENOMEM;
        }

        free(*s);
        *s = copy;

        return 0;
}

char *string_printf(const char *format, ...) {
        char *text;
        va_list args;
        int r;

        va_start(args, format);
        r = vasprintf(&text, format, args);
        va_end(args);

        return r < 0 ? NULL : text;
}

size_t utf8_decode(const char *s, size_t size, uint32_t *ret_character) {
        static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
        const unsigned char *u = (const unsigned char *) s;
        uint32_t character;
        size_t length;

        if (size == 0)
                return 0;
        if (u[0] < 0x80) {
                *ret_character = u[0];
                return 1;
        }

        length = (u[0] & 0xe0) == 0xc0 ? 2 : (u[0] & 0xf0) == 0xe0 ? 3 : (u[0] & 0xf8) == 0xf0 ? 4 : 0;
        if (length == 0 || length > size)
                return 0;

        character = u[0] & (0x7fU >> length);
        for (size_t i = 1; i < length; i++) {
                if ((u[i] & 0xc0) != 0x80)
                        return 0;
                character = (character << 6) | (u[i] & 0x3fU);
        }

        if (character < smallest[length] || character > 0x10ffff ||
            (character >= 0xd800 && character <= 0xdfff))
                return 0;

        *ret_character = character;
        return length;
}

size_t utf8_encode(uint32_t character, char ret[static 4]) {
        if (character < 0x80) {
                ret[0] = (char) character;
                return 1;
        }
        if (character < 0x800) {
                ret[0] = (char) (0xc0 | (character >> 6));
                ret[1] = (char) (0x80 | (character & 0x3f));
                return 2;
        }
        if (character >= 0xd800 && character <= 0xdfff)
                return 0;
        if (character < 0x10000) {
                ret[0] = (char) (0xe0 | (character >> 12));
                ret[1] = (char) (0x80 | ((character >> 6) & 0x3f));
                ret[2] = (char) (0x80 | (character & 0x3f));
                return 3;
        }
        if (character > 0x10ffff)
                return 0;

        ret[0] = (char) (0xf0 | (character >> 18));
        ret[1] = (char) (0x80 | ((character >> 12) & 0x3f));
        ret[2] = (char) (0x80 | ((character >> 6) & 0x3f));
        ret[3] = (char) (0x80 | (character & 0x3f));
        return 4;
}

bool utf8_is_valid(const char *s) {
        size_t size = strlen(s), n;
        uint32_t character;

        for (; size > 0; s += n, size -= n) {
                n = utf8_decode(s, size, &character);
                if (n == 0)
                        return false;
        }

        return true;
}

bool character_is_control(uint32_t character) {
        return character < 0x20 || (character >= 0x7f && character < 0xa0);
}

bool character_misleads(uint32_t character) {
        return character_is_control(character) || character == 0x061c ||
               character == 0x200e || character == 0x200f ||
               (character >= 0x2028 && character <= 0x202e) ||
               (character >= 0x2066 && character <= 0x2069);
}

bool string_is_printable(const char *s) {
        size_t size = strlen(s), n;
        uint32_t character;

        for (; size > 0; s += n, size -= n) {
                n = utf8_decode(s, size, &character);
                if (n == 0 || character_misleads(character))
                        return false;
        }

        return true;
}

/* The escapes of SIZE bytes, at most those of one character: writes up to 16 bytes, returns how many. */
static size_t escape_bytes(const char *s, size_t size, char ret[static 4 * 4 + 1]) {
        static const char letters[] = "\n\t\r", names[] = "ntr";
        const char *letter = *s ? strchr(letters, *s) : NULL;
        size_t n = 0;

        if (letter) {
                ret[0] = '\\';
                ret[1] = names[letter - letters];
                return 2;
        }

        for (size_t i = 0; i < size; i++)
                n += (size_t) snprintf(ret + n, 5, "\\x%02x", (unsigned) (unsigned char) s[i]);

        return n;
}

size_t string_escape_to(const char *s, char *buffer, size_t size) {
        size_t left = strlen(s), used = 0, n;
        uint32_t character;

        for (; left > 0; s += n, left -= n) {
                char escape[4 * 4 + 1];
                const char *bytes = s;
                size_t n_bytes;

                n = n_bytes = utf8_decode(s, left, &character);
                if (n == 0 || (character_misleads(character) && !weakened(WEAKEN_ESCAPE))) {
                        n = n > 0 ? n : 1;
                        n_bytes = escape_bytes(s, n, escape);
                        bytes = escape;
                }
                if (n_bytes >= size - used)
                        break;
                memcpy(buffer + used, bytes, n_bytes);
                used += n_bytes;
        }
        buffer[used] = '\0';

        return used;
}

char *string_escape_unprintable(const char *s) {
        size_t size = strlen(s) * 4 + 1;
        char *escaped = malloc(size);

        if (escaped)
                (void) string_escape_to(s, escaped, size);

        return escaped;
}

size_t string_distance(const char *a, const char *b, size_t limit) {
        size_t row[64], n = strlen(a), m = strlen(b);

        if (n >= ELEMENTSOF(row) || m >= ELEMENTSOF(row))
                return limit;

        for (size_t j = 0; j <= m; j++)
                row[j] = j;
        for (size_t i = 1; i <= n; i++) {
                size_t diagonal = row[0];

                row[0] = i;
                for (size_t j = 1; j <= m; j++) {
                        size_t best = diagonal + (strncasecmp(a + i - 1, b + j - 1, 1) != 0);

                        diagonal = row[j];
                        if (row[j] + 1 < best)
                                best = row[j] + 1;
                        if (row[j - 1] + 1 < best)
                                best = row[j - 1] + 1;
                        row[j] = best;
                }
        }

        return row[m] < limit ? row[m] : limit;
}
