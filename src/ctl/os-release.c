/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/os-release.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/string.h"
#include "basic/syscall.h"

/* The value of an assignment as a shell would read it: one level of quotes, and in double ones backslashes.
 * In place. */
static char *unquote(char *value) {
        char quote = value[0] == '"' || value[0] == '\'' ? value[0] : '\0';
        char *from = quote ? value + 1 : value, *to = value;

        for (; *from && *from != quote; from++) {
                if (*from == '\\' && quote != '\'' && from[1])
                        from++;
                *to++ = *from;
        }
        *to = '\0';

        return value;
}

/* Cuts at a whole character. */
static void cut(char *text, size_t size) {
        size_t at = 0, length = strlen(text);

        if (length <= size)
                return;
        while (at < length) {
                uint32_t character;
                size_t used = utf8_decode(text + at, length - at, &character);

                if (used == 0 || at + used > size)
                        break;
                at += used;
        }
        text[at] = '\0';
}

int os_release_name(const char *text, char **ret_name) {
        static const char *const keys[] = { "PRETTY_NAME=", "NAME=", "ID=" }; /* the best first */
        _cleanup_free_ char *copy = strdup(text), *best = NULL;
        size_t best_key = ELEMENTSOF(keys);
        char *rest = copy, *line;

        if (!copy)
                return -ENOMEM;

        while ((line = strsep(&rest, "\n"))) {
                char *stripped = string_strip(line);

                for (size_t i = 0; i < best_key; i++) {
                        char *value;

                        if (!string_after_prefix(stripped, keys[i]))
                                continue;
                        value = unquote(stripped + strlen(keys[i]));
                        if (!*value || !utf8_is_valid(value))
                                continue;
                        cut(value, OS_RELEASE_NAME_MAX);
                        if (string_set(&best, value) < 0)
                                return -ENOMEM;
                        best_key = i;
                }
        }
        if (!best)
                return -ENODATA;

        *ret_name = TAKE_PTR(best);

        return 0;
}

static int read_file(int root_fd, const char *path, char **ret_name) {
        _cleanup_free_ char *text = NULL;
        _cleanup_close_ int fd = -EBADF;
        struct stat status;
        size_t size;
        int r;

        /* Not into what is mounted there: a file system that the guest runs might never answer. */
        fd =
                        sys_openat2(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0,
                                    RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
        if (fd < 0)
                return -errno;
        if (fstat(fd, &status) < 0)
                return -errno;
        if (!S_ISREG(status.st_mode))
                return -ENODATA;
        r = fd_read_all(fd, OS_RELEASE_SIZE_MAX, &text, &size);
        if (r < 0)
                return r;

        return os_release_name(text, ret_name);
}

int os_release_read(int root_fd, char **ret_name) {
        int r = read_file(root_fd, "etc/os-release", ret_name);

        return r == -ENOENT ? read_file(root_fd, "usr/lib/os-release", ret_name) : r;
}

int os_release_of_process(uint32_t pid, char **ret_name) {
        char path[sizeof "/proc//root" + 10];
        _cleanup_close_ int root = -EBADF;

        (void) snprintf(path, sizeof path, "/proc/%" PRIu32 "/root", pid);
        root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

        return root < 0 ? -errno : os_release_read(root, ret_name);
}
