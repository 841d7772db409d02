/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading and writing quoted words; see quote.h. The grammar is that of systemd.syntax(7), "Quoting"; where
 * the page says less than systemd does (quotes in the middle of a word), this does as systemd.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/array.h"
#include "basic/cleanup.h"
#include "basic/quote.h"
#include "basic/string.h"
#include "basic/strv.h"

static int digit_value(char c, unsigned base) {
        int value = c >= '0' && c <= '9' ? c - '0' :
                c >= 'a' && c <= 'f'     ? c - 'a' + 10 :
                c >= 'A' && c <= 'F'     ? c - 'A' + 10 :
                                           16;

        return value < (int) base ? value : -1;
}

/* COUNT digits at S; false if one is missing. */
static bool read_digits(const char *s, unsigned count, unsigned base, uint32_t *ret_value) {
        uint32_t value = 0;

        for (unsigned i = 0; i < count; i++) {
                int digit = digit_value(s[i], base);

                if (digit < 0)
                        return false;
                value = value * base + (uint32_t) digit;
        }

        *ret_value = value;
        return true;
}

/* The escape after a backslash at S: writes up to 4 bytes, returns how much of S it was, 0 if it is none. */
static size_t read_escape(const char *s, char ret_bytes[static 4], size_t *ret_size) {
        static const char letters[] = "abfnrtv\\\"'s", values[] = "\a\b\f\n\r\t\v\\\"' ";
        const char *letter = *s ? strchr(letters, *s) : NULL;
        uint32_t value;

        *ret_size = 1;
        if (letter) {
                ret_bytes[0] = values[letter - letters];
                return 1;
        }

        if (*s == 'x' && read_digits(s + 1, 2, 16, &value) && value != 0) {
                ret_bytes[0] = (char) value;
                return 3;
        }
        if (*s >= '0' && *s <= '3' && read_digits(s, 3, 8, &value) && value != 0) {
                ret_bytes[0] = (char) value;
                return 3;
        }
        if (*s == 'u' && read_digits(s + 1, 4, 16, &value) && value != 0) {
                *ret_size = utf8_encode(value, ret_bytes);
                return *ret_size > 0 ? 5 : 0;
        }
        if (*s == 'U' && read_digits(s + 1, 8, 16, &value) && value != 0) {
                *ret_size = utf8_encode(value, ret_bytes);
                return *ret_size > 0 ? 9 : 0;
        }

        return 0;
}

/* A word is as large as it needs to be, however long the line: of a line there may be thousands. */
static int word_add(char **word, size_t *n, const char *bytes, size_t size) {
        for (size_t i = 0; i < size; i++)
                if (ARRAY_APPEND(*word, *n, bytes[i]) < 0)
                        return -ENOMEM;

        return 0;
}

int word_next(const char **line, char **ret_word) {
        _cleanup_free_ char *word = NULL;
        const char *s = *line + strspn(*line, WHITESPACE);
        char quote = 0;
        size_t n = 0;

        if (!*s) {
                *line = s;
                *ret_word = NULL;
                return 0;
        }

        for (; *s && (quote || !strchr(WHITESPACE, *s)); s++) {
                char bytes[4];
                size_t used, size;

                if (quote ? *s == quote : *s == '"' || *s == '\'') {
                        quote = quote ? 0 : *s;
                        continue;
                }
                if (*s != '\\') {
                        if (word_add(&word, &n, s, 1) < 0)
                                return -ENOMEM;
                        continue;
                }

                used = read_escape(s + 1, bytes, &size);
                if (used == 0)
                        return WORD_E_ESCAPE;
                if (word_add(&word, &n, bytes, size) < 0)
                        return -ENOMEM;
                s += used;
        }

        if (quote)
                return WORD_E_QUOTE;
        if (word_add(&word, &n, "", 1) < 0)
                return -ENOMEM;
        if (!utf8_is_valid(word))
                return WORD_E_ENCODING;

        *line = s;
        *ret_word = TAKE_PTR(word);
        return 0;
}

int words_split(const char *line, char ***ret_words) {
        _cleanup_(strv_freep) char **words = NULL;
        char **fitting;
        size_t n = 0;

        /* White space stands between two words. */
        words = calloc(strlen(line) / 2 + 2, sizeof *words);
        if (!words)
                return -ENOMEM;

        for (;;) {
                int r;

                r = word_next(&line, words + n);
                if (r != 0)
                        return r;
                if (!words[n])
                        break;
                n++;
        }
        if (n == 0) {
                *ret_words = NULL;
                return 0;
        }

        fitting = reallocarray(words, n + 1, sizeof *words);
        if (fitting)
                words = fitting;

        *ret_words = TAKE_PTR(words);
        return 0;
}

const char *word_error_text(int error) {
        switch (error) {
        case WORD_E_QUOTE:
                return "a quote is not closed";
        case WORD_E_ESCAPE:
                return "a backslash is not the start of a known escape (\\n, \\t, \\\\, \\x41, ...); double "
                       "it to mean a backslash";
        case WORD_E_ENCODING:
                return "the escapes give bytes that are not UTF-8";
        default:
                return "no error";
        }
}

char *word_quote(const char *word) {
        size_t size = strlen(word), n;
        uint32_t character;
        char *quoted, *p;

        if (size > 0 && !strpbrk(word, WHITESPACE "\"'\\") && string_is_printable(word))
                return strdup(word);

        p = quoted = malloc(size * 4 + 3);
        if (!quoted)
                return NULL;

        *p++ = '"';
        for (; size > 0; word += n, size -= n) {
                n = utf8_decode(word, size, &character);
                if (n == 1 && (*word == '"' || *word == '\\')) {
                        *p++ = '\\';
                        *p++ = *word;
                } else if (n > 0 && !character_misleads(character)) {
                        memcpy(p, word, n);
                        p += n;
                } else {
                        n = 1;
                        p += snprintf(p, 5, "\\x%02x", (unsigned) (unsigned char) *word);
                }
        }
        *p++ = '"';
        *p = '\0';

        return quoted;
}
