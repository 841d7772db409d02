/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The untyped half of array.h. An array with no element is NULL; one with N elements was allocated for the
 * next power of two, so that a reallocation happens exactly when N is one (or zero).
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "basic/array.h"

int array_reserve(void *array, size_t n, size_t size) {
        void *old, *grown;
        size_t capacity;

        if (n != 0 && (n & (n - 1)) != 0)
                return 0;

        capacity = n == 0 ? 1 : n * 2;
        memcpy(&old, array, sizeof(old));
        grown = reallocarray(old, capacity, size);
        if (!grown)
                return -ENOMEM;
        memcpy(array, &grown, sizeof(grown));

        return 0;
}

void array_remove(void *array, size_t *n, size_t size, size_t index) {
        char *base;

        memcpy(&base, array, sizeof(base));
        memmove(base + index * size, base + (index + 1) * size, (*n - index - 1) * size);
        (*n)--;
}
