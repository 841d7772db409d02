/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/store/delete.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/string.h"

#define MOVED_SIZE 32

static int stream_open(int parent, const char *name, DIR **ret) {
        int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        DIR *stream;

        if (fd < 0)
                return -errno;
        stream = fdopendir(fd);
        if (!stream) {
                int r = -errno;

                (void) close(fd);
                return r;
        }

        *ret = stream;
        return 0;
}

static bool is_dot(const char *name) {
        return streq(name, ".") || streq(name, "..");
}

/* Moves a directory up to the top, under a name that nothing has. */
static int move_up(int parent, const char *name, int top) {
        char moved[MOVED_SIZE];
        uint64_t random;

        if (getrandom(&random, sizeof random, 0) != (ssize_t) sizeof random)
                return -EIO;

        (void) snprintf(moved, sizeof moved, ".%016llx", (unsigned long long) random);
        /* Another process may be at the same. */
        return renameat(parent, name, top, moved) < 0 && errno != ENOENT ? -errno : 0;
}

/* A file, or a directory as far as it is empty; else it is moved. */
static int delete_one(int parent, const char *name, int top) {
        if (unlinkat(parent, name, 0) == 0)
                return 0;
        if (errno == EISDIR && unlinkat(parent, name, AT_REMOVEDIR) == 0)
                return 0;
        if (errno == ENOTEMPTY || errno == EEXIST)
                return move_up(parent, name, top);

        return errno == ENOENT ? 0 : -errno;
}

/* Empties one directory at the top, and removes it. */
static int delete_directory(int top, const char *name) {
        for (;;) {
                _cleanup_closedir_ DIR *stream = NULL;
                bool any = false;
                int r;

                r = stream_open(top, name, &stream);
                if (r < 0)
                        return r == -ENOENT ? 0 : r;
                for (struct dirent *entry = readdir(stream); entry; entry = readdir(stream)) {
                        if (is_dot(entry->d_name))
                                continue;
                        any = true;
                        r = delete_one(dirfd(stream), entry->d_name, top);
                        if (r < 0)
                                return r;
                }

                if (unlinkat(top, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
                        return 0;
                /* A directory that changes while it is read may not have shown everything. */
                if (!any || (errno != ENOTEMPTY && errno != EEXIST))
                        return -errno;
        }
}

static int delete_at_top(int top, const char *name) {
        if (unlinkat(top, name, 0) == 0 || errno == ENOENT)
                return 0;

        return errno == EISDIR ? delete_directory(top, name) : -errno;
}

int delete_all(int directory) {
        bool any = true;

        /* What was moved up in one round is met in the next, if not in the same. */
        while (any) {
                _cleanup_closedir_ DIR *stream = NULL;
                int r;

                r = stream_open(directory, ".", &stream);
                if (r < 0)
                        return r;
                any = false;
                for (struct dirent *entry = readdir(stream); entry; entry = readdir(stream)) {
                        if (is_dot(entry->d_name))
                                continue;
                        any = true;
                        r = delete_at_top(directory, entry->d_name);
                        if (r < 0)
                                return r;
                }
        }

        return 0;
}
