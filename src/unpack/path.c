/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unpack/path.h"

#include <string.h>

int path_clean(const char *raw, char ret[static PATH_SIZE_MAX], bool *ret_absolute) {
        bool absolute = raw[0] == '/';
        size_t size = 0;
        unsigned depth = 0;

        while (*raw) {
                size_t length = strcspn(raw, "/");

                if (length == 2 && memcmp(raw, "..", 2) == 0)
                        return PATH_E_PARENT;
                if (length > 0 && !(length == 1 && *raw == '.')) {
                        if (++depth > UNPACK_DEPTH_MAX)
                                return PATH_E_DEEP;
                        if (size + length + 2 > PATH_SIZE_MAX)
                                return PATH_E_LONG;
                        if (size > 0)
                                ret[size++] = '/';
                        memcpy(ret + size, raw, length);
                        size += length;
                }

                raw += length;
                raw += strspn(raw, "/");
        }

        ret[size] = '\0';
        *ret_absolute = absolute;
        return 0;
}

const char *path_last(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

void path_part(const char *path, size_t size, char ret[static PATH_SIZE_MAX]) {
        memcpy(ret, path, size);
        ret[size] = '\0';
}
