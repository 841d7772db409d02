/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/lsm/apparmor-parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "basic/array.h"
#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/string.h"
#include "spec/limits.h"
#include "spec/place.h"

static void part_clear(ApparmorPart *part) {
        free(part->name);
        free(part->label);
        free(part->text);
}

void apparmor_parts_clear(ApparmorParts *parts) {
        for (size_t i = 0; i < parts->n; i++)
                part_clear(parts->list + i);
        free(parts->list);
        *parts = APPARMOR_PARTS_NULL;
}

static bool parts_have(const ApparmorParts *parts, const char *name) {
        for (size_t i = 0; i < parts->n; i++)
                if (streq(parts->list[i].name, name))
                        return true;

        return false;
}

/* A part without a text is one that is taken away. */
static int
part_read(Failure *failure,
          const DefinitionSources *sources,
          Place *directory,
          const char *name,
          ApparmorPart *ret) {
        _cleanup_(place_clear) Place place = PLACE_EMPTY;
        int r;

        ret->name = strdup(name);
        ret->label = string_printf("%s/%s", directory->path, name);
        if (!ret->name || !ret->label)
                return -ENOMEM;

        r = place_open_in(sources, directory, name, &place);
        if (r == PLACE_E_MASKED)
                return 0;
        if (r == -ENOMEM)
                return r;
        if (r != 0)
                return failure_cause(failure, r < 0 ? r : -EPERM, "%s %s", ret->label, place_error_text(r));
        if (place.directory)
                return failure_cause(failure, -EISDIR, "%s is a directory", ret->label);
        if (!place.trusted)
                return failure_cause(
                                failure, -EPERM, "%s is not a file that root alone can write", ret->label);

        r = fd_read_all(place.fd, FILE_SIZE_MAX, &ret->text, NULL);
        return r < 0 ? failure_cause(failure, r, "%s: %s", ret->label, strerror(-r)) : 0;
}

static int
directory_read(Failure *failure, const DefinitionSources *sources, const char *path, ApparmorParts *parts) {
        _cleanup_(place_clear) Place place = PLACE_EMPTY;
        _cleanup_closedir_ DIR *listing = NULL;
        int r;

        r = place_open_directory(sources, path, true, &place);
        if (r == -ENOENT)
                return 0;
        if (r != 0)
                return failure_cause(failure, r < 0 ? r : -EPERM, "%s %s", path, place_error_text(r));
        listing = opendir(path);
        if (!listing)
                return -errno;

        for (struct dirent *entry; (entry = readdir(listing));) {
                ApparmorPart part = {};

                if (entry->d_name[0] == '.' || !string_ends_with(entry->d_name, APPARMOR_SUFFIX) ||
                    parts_have(parts, entry->d_name))
                        continue;
                if (parts->n >= APPARMOR_PARTS_MAX)
                        return failure_cause(failure, -E2BIG, "%s has too many files", path);
                r = part_read(failure, sources, &place, entry->d_name, &part);
                if (r == 0)
                        r = ARRAY_APPEND(parts->list, parts->n, part);
                if (r < 0) {
                        part_clear(&part);
                        return r;
                }
        }

        return 0;
}

static int compare(const void *a, const void *b) {
        return strcmp(((const ApparmorPart *) a)->name, ((const ApparmorPart *) b)->name);
}

int apparmor_parts_read(
                Failure *failure,
                const DefinitionSources *sources,
                const char *const *directories,
                ApparmorParts *ret) {
        _cleanup_(apparmor_parts_clear) ApparmorParts parts = APPARMOR_PARTS_NULL;

        for (; *directories; directories++) {
                int r = directory_read(failure, sources, *directories, &parts);

                if (r < 0)
                        return r;
        }
        if (parts.n > 0)
                qsort(parts.list, parts.n, sizeof *parts.list, compare);

        *ret = TAKE_VALUE(parts, APPARMOR_PARTS_NULL);
        return 0;
}
