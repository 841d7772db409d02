/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NULL-terminated arrays of strings; see strv.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/string.h"
#include "basic/strv.h"

char **strv_free(char **strv) {
        for (char **s = strv; s && *s; s++)
                free(*s);
        free(strv);

        return NULL;
}

size_t strv_length(char *const *strv) {
        size_t n = 0;

        while (strv && strv[n])
                n++;

        return n;
}

bool strv_contains(char *const *strv, const char *s) {
        for (; strv && *strv; strv++)
                if (streq(*strv, s))
                        return true;

        return false;
}

bool strv_equal(char *const *a, char *const *b) {
        size_t n = strv_length(a);

        if (strv_length(b) != n)
                return false;
        for (size_t i = 0; i < n; i++)
                if (!streq(a[i], b[i]))
                        return false;

        return true;
}

int strv_append_take(char ***strv, char *s) {
        size_t n = strv_length(*strv);
        char **grown;

        if (!s)
                return -ENOMEM;

        grown = reallocarray(*strv, n + 2, sizeof(char *));
        if (!grown) {
                free(s);
                return -ENOMEM;
        }

        grown[n] = s;
        grown[n + 1] = NULL;
        *strv = grown;

        return 0;
}

int strv_append(char ***strv, const char *s) {
        return strv_append_take(strv, strdup(s));
}

static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

void strv_sort(char **strv) {
        size_t n = strv_length(strv);

        if (n > 1)
                qsort(strv, n, sizeof(char *), compare);
}
