/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Growing arrays: a pointer and a count side by side in their owner, no type of their own. The capacity is
 * not stored: it is the next power of two of the count, which is all that appending needs to know.
 */
#pragma once

#include <stddef.h>

#include "basic/macro.h"

/* Makes room for one more element at *ARRAY, which holds N of SIZE bytes each. 0 or -ENOMEM. */
int array_reserve(void *array, size_t n, size_t size);

/* Removes element INDEX by moving the later ones down. */
void array_remove(void *array, size_t *n, size_t size, size_t index);

/* Appends VALUE (an expression of the element's type) to ARRAY, which counts N. 0 or -ENOMEM. */
#define ARRAY_APPEND(array, n, ...)                                                      \
        __extension__({                                                                  \
                int _append = array_reserve(&(array), (n), sizeof((array)[0]));          \
                if (_append >= 0)                                                        \
                        (array)[(n)++] = (__VA_ARGS__);                                  \
                _append;                                                                 \
        })
