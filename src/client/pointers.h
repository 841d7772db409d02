/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lists as the public header has them: arrays of pointers that end with NULL, at any moment while they grow.
 */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Appends ITEM to *LIST, which has N of them (a T ***, untyped; NULL is an empty one). 0, or -ENOMEM. */
static inline int pointers_append(void *list, size_t *n, void *item) {
        void **array;

        memcpy(&array, list, sizeof array);
        array = reallocarray(array, *n + 2, sizeof *array);
        if (!array)
                return -ENOMEM;
        array[(*n)++] = item;
        array[*n] = NULL;
        memcpy(list, &array, sizeof array);

        return 0;
}
