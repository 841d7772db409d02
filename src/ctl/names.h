/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of containers as people type them: patterns of the shell stand for all that exist, and a unit's name
 * stands for the container's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* True if it has a character that means something in a pattern. */
bool name_is_pattern(const char *word);

/* True if containers can be meant by it: a pattern, a unit's name, a name, or a user's as UID/NAME. */
bool name_is_possible(const char *word);

/* True if a name is one of the words, as itself or by its unit, or fits a pattern among them. "*" stands for no slash: a
 * user's containers are fitted by patterns that have one. */
bool names_have(char *const *words, size_t n, const char *name);

/* The name in a word: what container@NAME, container@NAME.service and the like are of, or the word itself. NULL: out of
 * memory. */
char *name_from_word(const char *word);

/* Each word as names: a pattern as those of EXISTING that fit it, in their order, any other as itself whether it
 * exists or not. No name comes twice. Freed with strv_free(). 0, -ENOMEM, or NAMES_E_NONE if a pattern fits
 * nothing; then *RET_WORD is that pattern, and nothing else is returned. */
enum {
        NAMES_E_NONE = 1,
};

int names_expand(char *const *words, size_t n, char *const *existing, char ***ret, const char **ret_word);
