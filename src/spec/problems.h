/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is wrong with a definition: a list of sentences, each with the file, line and key that it is about.
 * Whoever reads or checks a definition adds to the list and goes on, so that one run finds everything; the
 * caller owns the list and decides whether to show the first or all.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "basic/cleanup.h"

typedef struct Problem {
        char *file;     /* NULL: about no file, e.g. the name */
        unsigned line;  /* 0: about the file as a whole */
        char *key;      /* with its section where that helps; NULL: about no key */
        char *text;     /* a sentence without a full stop */
} Problem;

typedef struct Problems {
        Problem *list;
        size_t n;
        bool full;      /* there were more than PROBLEMS_MAX */
        bool denied;    /* one of them is that the caller may not read a file */
} Problems;

#define PROBLEMS_EMPTY                                                                                      \
        { NULL, 0, false, false }

void problems_clear(Problems *problems);

/* Adds a problem; FILE and KEY may be NULL, LINE 0. 0 or -ENOMEM. Beyond the limit it only notes that. */
int problems_add(Problems *problems, const char *file, unsigned line, const char *key, const char *format,
                 ...) _printf_(5, 6);

/* "FILE:LINE: Key=: sentence" with everything unprintable escaped; the caller frees it. NULL: out of
 * memory. */
char *problem_format(const Problem *problem);

/* All of them, one a line. 0, -ENOMEM or -EIO. */
int problems_print(const Problems *problems, FILE *stream);
