/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What /proc tells of a container's process. Names and paths in it are the container's: no bytes may lead a
 * parser out of its text, and what comes out is within what the kernel could mean.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/security/process.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition) {
        if (!condition)
                abort();
}

static void check_status(const char *text) {
        ProcessStatus status;

        process_status_parse(text, &status);
        for (size_t i = 0; i < _CAPABILITY_SET_N; i++)
                must(status.has_set[i] || status.sets[i] == 0);
        must(status.seccomp >= -1 && status.filters >= -1 && status.no_new_privileges >= -1);
}

static void check_ids(const char *text) {
        IdLines map = {};

        if (id_lines_parse(text, &map) < 0)
                return;
        for (size_t i = 0; i < map.n; i++)
                must(map.lines[i].count > 0 &&
                     map.lines[i].inside + (map.lines[i].count - 1) >= map.lines[i].inside &&
                     map.lines[i].outside + (map.lines[i].count - 1) >= map.lines[i].outside);
        must(!id_lines_are_identity(&map) || map.n == 1);
        free(map.lines);
}

static void check_mounts(const char *text, size_t size) {
        MountLines mounts = {};

        must(mount_lines_parse(text, &mounts) == 0);
        for (size_t i = 0; i < mounts.n; i++) {
                const MountLine *mount = mounts.lines + i;

                must(mount->id >= 0 && mount->parent >= 0);
                must(strlen(mount->root) + strlen(mount->point) + strlen(mount->options) +
                                     strlen(mount->type) <=
                     size);
                must(mount_lines_find(&mounts, mount->point) && mount_lines_by_id(&mounts, mount->id));
                (void) mount_line_has_option(mount, "ro");
        }
        mount_lines_clear(&mounts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);
        const char *name, *mode;

        must(!!text);
        check_status(text);
        check_ids(text);
        check_mounts(text, size);
        must(fd_info_mount(text) >= -1);
        (void) label_is_generated(text);
        label_split(text, &name, &mode);
        must(name == text && !strchr(name, '\n') && (!mode || !strchr(mode, '\n')));

        return 0;
}
