/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which containers have a definition: the names of the files, without a look into them.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "basic/array.h"
#include "basic/string.h"
#include "basic/strv.h"
#include "spec/load.h"
#include "spec/name.h"

#define SUFFIX ".container"

/* A file that is named after a container. */
typedef struct Entry {
        char *name;
        size_t directory; /* of two files in the first one counts */
        bool masked;
} Entry;

typedef struct Entries {
        Entry *list;
        size_t n;
} Entries;

static void entries_clear(Entries *entries) {
        for (size_t i = 0; i < entries->n; i++)
                free(entries->list[i].name);
        free(entries->list);
}

static int entries_add(Entries *entries, DIR *stream, const char *file, size_t directory) {
        _cleanup_free_ char *name = NULL;
        char target[sizeof "/dev/null"];
        ssize_t n;
        int r;

        if (!string_ends_with(file, SUFFIX))
                return 0;
        name = strndup(file, strlen(file) - strlen(SUFFIX));
        if (!name)
                return -ENOMEM;
        if (!container_name_is_valid(name))
                return 0;

        n = readlinkat(dirfd(stream), file, target, sizeof target);
        r = array_reserve(&entries->list, entries->n, sizeof(Entry));
        if (r < 0)
                return r;

        entries->list[entries->n++] = (Entry){
                .name = TAKE_PTR(name),
                .directory = directory,
                .masked = n == (ssize_t) strlen("/dev/null") && memcmp(target, "/dev/null", (size_t) n) == 0,
        };
        return 0;
}

static int entries_read(Entries *entries, const char *path, size_t directory) {
        _cleanup_closedir_ DIR *stream = opendir(path);

        if (!stream)
                return errno == ENOENT ? 0 : -errno;

        for (;;) {
                const struct dirent *entry;
                int r;

                errno = 0;
                entry = readdir(stream);
                if (!entry)
                        return -errno;
                r = entries_add(entries, stream, entry->d_name, directory);
                if (r < 0)
                        return r;
        }
}

static int entry_compare(const void *a, const void *b) {
        const Entry *one = a, *other = b;
        int order = strcmp(one->name, other->name);

        if (order != 0)
                return order;
        return (one->directory > other->directory) - (one->directory < other->directory);
}

int definition_list(const DefinitionSources *sources, char ***ret_names, Problems *problems) {
        _cleanup_(entries_clear) Entries entries = {};
        _cleanup_(strv_freep) char **names = NULL;
        int result = 0, r;
        size_t n = 0;

        for (size_t i = 0; i < sources->n_directories; i++) {
                const char *path = sources->directories[i].path;

                r = entries_read(&entries, path, i);
                if (r == -ENOMEM)
                        return r;
                if (r < 0) {
                        r = problems_add(problems, path, 0, NULL, "cannot be read: %s", strerror(-r));
                        result = DEFINITION_E_INVALID;
                }
                if (r < 0)
                        return r;
        }

        names = calloc(entries.n + 1, sizeof *names);
        if (!names)
                return -ENOMEM;
        if (entries.n > 0)
                qsort(entries.list, entries.n, sizeof(Entry), entry_compare);
        for (size_t i = 0; i < entries.n; i++) {
                if (i > 0 && streq(entries.list[i].name, entries.list[i - 1].name))
                        continue;
                if (!entries.list[i].masked)
                        names[n++] = strdup(entries.list[i].name);
                if (n > 0 && !names[n - 1])
                        return -ENOMEM;
        }

        *ret_names = TAKE_PTR(names);
        return result;
}
