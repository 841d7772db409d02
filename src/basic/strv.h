/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NULL-terminated arrays of strings that own their strings, as argv and environ are. The empty one is NULL
 * or an array of just the terminator.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "basic/cleanup.h"

char **strv_free(char **strv);
DEFINE_CLEANUP(char **, strv_free)

size_t strv_length(char *const *strv);
bool strv_contains(char *const *strv, const char *s);
bool strv_equal(char *const *a, char *const *b);

/* Appends S, which the array owns from then on, also when this fails (it is freed then; NULL is taken for a
 * copy that failed). 0 or -ENOMEM. */
int strv_append_take(char ***strv, char *s);
int strv_append(char ***strv, const char *s);

/* Sorts by byte value. */
void strv_sort(char **strv);
