/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/array.h"
#include "basic/cleanup.h"
#include "basic/string.h"
#include "spec/limits.h"

#define MODE_BITS 0777

void device_nodes_done(DeviceNodes *nodes) {
        for (size_t i = 0; i < nodes->n; i++)
                free(nodes->list[i].name);
        free(nodes->list);
        *nodes = DEVICE_NODES_NULL;
}

bool device_name_is_taken(const char *name) {
        static const char *const names[] = {
                "null",  "zero",   "full",   "random", "urandom", "tty", "console", "ptmx",
                "stdin", "stdout", "stderr", "core",   "fd",      "pts", "shm",     "mqueue",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                const char *rest = string_after_prefix(name, names[i]);

                if (rest && (!*rest || *rest == '/'))
                        return true;
        }

        return false;
}

bool device_path_is_pattern(const char *path) {
        return strpbrk(path, "*?[");
}

static bool is_node(const struct stat *st) {
        return S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);
}

/* Takes up a node, in place of an earlier one of that name. */
static int nodes_set(DeviceNodes *nodes, const DeviceSpec *spec, const char *path, const struct stat *st) {
        DeviceNode node = {
                .spec = spec,
                .type = st->st_mode & S_IFMT,
                .mode = spec->mode == DEVICE_MODE_HOST ? st->st_mode & MODE_BITS : spec->mode,
                .number = st->st_rdev,
        };
        const char *name = path + strlen(DEVICE_DIRECTORY);
        int r;

        for (size_t i = 0; i < nodes->n; i++)
                if (streq(nodes->list[i].name, name)) {
                        node.name = nodes->list[i].name;
                        nodes->list[i] = node;
                        return 0;
                }
        if (nodes->n >= DEVICE_NODES_MAX)
                return DEVICE_E_MANY;

        node.name = strdup(name);
        if (!node.name)
                return -ENOMEM;
        r = ARRAY_APPEND(nodes->list, nodes->n, node);
        if (r < 0)
                free(node.name);

        return r;
}

/* What there is at a path: 0, or a negative errno, -ENOENT also where something on the way is no directory.
 */
static int look(const char *path, int flags, struct stat *ret) {
        _cleanup_close_ int fd = -EBADF;

        fd = open(path, O_PATH | O_CLOEXEC | flags);
        if (fd < 0)
                return errno == ENOTDIR ? -ENOENT : -errno;

        return fstat(fd, ret) < 0 ? -errno : 0;
}

/* All nodes that a pattern fits. Links to nodes elsewhere are passed over: the nodes have names of their
 * own. */
static int find_pattern(DeviceNodes *nodes, const DeviceSpec *spec, const char *pattern) {
        bool found = false;
        glob_t paths = {};
        int r;

        r = glob(pattern, 0, NULL, &paths);
        if (r != 0 && r != GLOB_NOMATCH) {
                globfree(&paths);
                return r == GLOB_NOSPACE ? -ENOMEM : -EIO;
        }

        r = 0;
        for (size_t i = 0; r == 0 && i < paths.gl_pathc; i++) {
                const char *path = paths.gl_pathv[i];
                struct stat st;

                if (device_name_is_taken(path + strlen(DEVICE_DIRECTORY)))
                        continue;
                r = look(path, O_NOFOLLOW, &st);
                if (r == 0 && is_node(&st)) {
                        found = true;
                        r = nodes_set(nodes, spec, path, &st);
                } else if (r == -ENOENT)
                        r = 0; /* gone since */
        }
        globfree(&paths);
        if (r != 0)
                return r;

        return found || spec->optional ? 0 : DEVICE_E_NONE;
}

static int find_section(DeviceNodes *nodes, const DeviceSpec *spec) {
        _cleanup_free_ char *pattern = NULL;
        struct stat st;
        int r;

        if (device_path_is_pattern(spec->path))
                return find_pattern(nodes, spec, spec->path);

        r = look(spec->path, 0, &st);
        if (r == -ENOENT)
                return spec->optional ? 0 : DEVICE_E_MISSING;
        if (r < 0)
                return r;
        if (is_node(&st))
                return nodes_set(nodes, spec, spec->path, &st);
        if (!S_ISDIR(st.st_mode))
                return DEVICE_E_KIND;

        pattern = string_printf("%s/*", spec->path);
        return pattern ? find_pattern(nodes, spec, pattern) : -ENOMEM;
}

int device_nodes_find(const Definition *definition, DeviceNodes *ret, const DeviceSpec **ret_failed) {
        int first = 0;

        *ret = DEVICE_NODES_NULL;
        for (size_t i = 0; i < definition->n_devices; i++) {
                int r = find_section(ret, definition->devices + i);

                if (r != 0 && first == 0) {
                        first = r;
                        *ret_failed = definition->devices + i;
                }
        }

        return first;
}
