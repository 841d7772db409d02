/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Words in a line, quoted as systemd's unit files quote them: white space separates, single and double
 * quotes keep it together, C escapes work inside and outside of quotes. No variables, no specifiers.
 */
#pragma once

#include <stddef.h>

/* What can be wrong with a line of words. */
typedef enum WordError {
        _WORD_E_SUCCESS,
        WORD_E_QUOTE,     /* a quote is not closed */
        WORD_E_ESCAPE,    /* not an escape sequence, or one that stands for NUL */
        WORD_E_ENCODING,  /* the unescaped word is not UTF-8 */
} WordError;

/* Takes the next word off *LINE and moves *LINE behind it. 0 with *RET_WORD NULL when there is none left;
 * else 0 and a word that the caller frees, -ENOMEM, or a WordError. */
int word_next(const char **line, char **ret_word);

/* All words of a line; an empty line gives NULL. 0, -ENOMEM, or a WordError. */
int words_split(const char *line, char ***ret_words);

/* A sentence for a WordError. */
const char *word_error_text(int error);

/* The word such that word_next() gives it back: as it is if it needs no quoting. NULL: out of memory. */
char *word_quote(const char *word);
