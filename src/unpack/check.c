/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unpack/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/string.h"

static bool looks_like_root(int directory) {
        static const char *const names[] = { "etc", "usr", "bin", "sbin", "lib", "init" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                struct stat st;

                if (fstatat(directory, names[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
                        return true;
        }

        return false;
}

/* The name of the only thing in a directory; "" if there are more or none. */
static int only_name(int root, char ret[static 256]) {
        _cleanup_closedir_ DIR *stream = NULL;
        int fd = open_beneath(root, ".", O_RDONLY | O_DIRECTORY);
        unsigned n = 0;

        if (fd < 0)
                return fd;
        stream = fdopendir(fd);
        if (!stream) {
                int r = -errno;

                (void) close(fd);
                return r;
        }

        ret[0] = '\0';
        for (struct dirent *entry = readdir(stream); entry; entry = readdir(stream))
                if (!streq(entry->d_name, ".") && !streq(entry->d_name, "..") && n++ == 0)
                        (void) snprintf(ret, 256, "%s", entry->d_name);
        if (n != 1)
                ret[0] = '\0';

        return 0;
}

int check_root(Report *report, int root) {
        _cleanup_close_ int inner = -EBADF;
        char name[256];
        int r;

        if (looks_like_root(root))
                return 0;
        r = only_name(root, name);
        if (r < 0)
                return r;

        inner = name[0] ? open_beneath(root, name, O_PATH | O_DIRECTORY) : -EBADF;
        if (inner < 0 || !looks_like_root(inner))
                return 0;

        return report_fail(
                        report, -EINVAL, name, "the root is not at the top but in the directory",
                        "pack what is inside of that directory (tar -C DIRECTORY -c .)");
}
