/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text: comparisons that read as words, UTF-8, and making bytes of unknown origin fit to be shown. All
 * functions take NUL-terminated strings unless a length stands beside them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "basic/macro.h"

#define WHITESPACE " \t\n\r"

static inline bool streq(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}

/* NULL equals NULL only. */
bool streq_null(const char *a, const char *b);

/* What follows PREFIX in S; NULL if S does not start with it. */
const char *string_after_prefix(const char *s, const char *prefix);

bool string_ends_with(const char *s, const char *suffix);

/* Cuts white space off both ends, in place; returns the new start. */
char *string_strip(char *s);

/* Frees *S and stores a copy of VALUE (or NULL) there. 0 or -ENOMEM, then *S is as it was. */
int string_set(char **s, const char *value);

/* A formatted string that the caller frees; NULL when memory ran out. */
char *string_printf(const char *format, ...) _printf_(1, 2);

/* Decodes the UTF-8 character at S, of which SIZE bytes may be read: its length, or 0 if there is none (cut
 * short, overlong, surrogate, beyond U+10FFFF). */
size_t utf8_decode(const char *s, size_t size, uint32_t *ret_character);

/* Encodes a character, 1 to 4 bytes without a NUL after them; 0 if it is none. */
size_t utf8_encode(uint32_t character, char ret[static 4]);

bool utf8_is_valid(const char *s);

/* C0 and C1 control characters and DEL. */
bool character_is_control(uint32_t character);

/* Control characters, and those which change how the text around them is shown: line and paragraph
 * separators, and marks, embeddings, overrides and isolates of direction. */
bool character_misleads(uint32_t character);

/* True if S is valid UTF-8 without characters that mislead. */
bool string_is_printable(const char *s);

/* A copy in which characters that mislead and bytes that are not UTF-8 are written as C escapes. For
 * messages: what it returns cannot steer a terminal, forge a line of a log or stand in another order than
 * it is read. NULL: out of memory. */
char *string_escape_unprintable(const char *s);

/* The same into BUFFER, which has SIZE bytes, at least 1: as many whole characters and escapes of S as fit,
 * and a NUL. Returns the length of what was written. */
size_t string_escape_to(const char *s, char *buffer, size_t size);

/* Case-insensitive edit distance, for "did you mean"; stops counting at LIMIT. Both at most 63 bytes, else
 * LIMIT is returned. */
size_t string_distance(const char *a, const char *b, size_t limit);
