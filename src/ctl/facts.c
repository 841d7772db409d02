/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/parse.h"
#include "basic/string.h"
#include "basic/strv.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define SMALL_FILE_MAX 4096

void facts_clear(Facts *facts) {
        free(facts->description);
        strv_free(facts->files);
        free(facts->command);
        *facts = (Facts) FACTS_EMPTY;
}

/* "# /path/file:12" names a file that something was set in. */
static int facts_add_file(Facts *facts, char *comment) {
        char *colon = strrchr(comment, ':');

        if (comment[0] != '/' || !colon)
                return 0;
        *colon = '\0';

        return strv_contains(facts->files, comment) ? 0 : strv_append(&facts->files, comment);
}

int facts_from_definition(Facts *facts, const char *definition) {
        _cleanup_free_ char *copy = strdup(definition);
        char *rest = copy, *line;
        bool container = false;
        int r = 0;

        if (!copy)
                return -ENOMEM;

        while (r >= 0 && (line = strsep(&rest, "\n"))) {
                const char *value = string_after_prefix(line, "Description=");

                if (line[0] == '[')
                        container = streq(line, "[Container]");
                else if (value && container)
                        r = string_set(&facts->description, value);
                else if (string_after_prefix(line, "# "))
                        r = facts_add_file(facts, line + strlen("# "));
        }

        return r;
}

/* A small file as a text without the newline at its end. */
static int read_line(int dir_fd, const char *path, char **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        r = file_read(dir_fd, path, SMALL_FILE_MAX, &text, &size);
        if (r < 0)
                return r;
        if (size > 0 && text[size - 1] == '\n')
                text[size - 1] = '\0';
        *ret = TAKE_PTR(text);

        return 0;
}

/* "max" is no limit, and what cannot be read is none that could be shown. */
static uint64_t read_limit(int dir_fd, const char *file) {
        _cleanup_free_ char *text = NULL;
        uint64_t limit;

        return read_line(dir_fd, file, &text) < 0 || parse_u64(text, &limit) < 0 ? UINT64_MAX : limit;
}

int facts_from_host(Facts *facts, const berth_status *status) {
        _cleanup_close_ int root = -EBADF, group = -EBADF;
        _cleanup_free_ char *path = NULL, *command = NULL;

        if (status->leader == 0)
                return 0;
        path = string_printf("/proc/%" PRIu32 "/comm", status->leader);
        if (!path)
                return -ENOMEM;
        if (read_line(AT_FDCWD, path, &command) >= 0 && string_set(&facts->command, command) < 0)
                return -ENOMEM;

        root = open(CGROUP_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
        group = root < 0 ? -errno : open_beneath(root, status->control_group, O_PATH | O_DIRECTORY);
        if (group >= 0) {
                facts->memory_limit = read_limit(group, "memory.max");
                facts->tasks_limit = read_limit(group, "pids.max");
        }

        return 0;
}
