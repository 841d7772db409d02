/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a fuzzer's function over files that were kept, for builds without a fuzzing engine: each argument is
 * a file, or a directory of files. Exits with 77 if there was none.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/cleanup.h"
#include "basic/file.h"

#define INPUT_MAX (4 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(int directory, const char *name) {
        _cleanup_free_ char *data = NULL;
        size_t size;
        int r;

        r = file_read(directory, name, INPUT_MAX, &data, &size);
        if (r < 0) {
                fprintf(stderr, "%s: %s\n", name, strerror(-r));
                return r;
        }

        /* Said beforehand: an abort leaves no time. */
        fprintf(stderr, "%s\n", name);
        (void) LLVMFuzzerTestOneInput((const uint8_t *) data, size);

        return 1;
}

static int run(const char *path) {
        _cleanup_closedir_ DIR *stream = opendir(path);
        const struct dirent *entry;
        int n = 0;

        if (!stream)
                return errno == ENOTDIR ? run_file(AT_FDCWD, path) : -errno;

        while ((entry = readdir(stream))) {
                int r;

                if (entry->d_name[0] == '.')
                        continue;
                r = run_file(dirfd(stream), entry->d_name);
                if (r < 0)
                        return r;
                n += r;
        }

        return n;
}

int main(int argc, char **argv) {
        int n = 0;

        for (int i = 1; i < argc; i++) {
                int r = run(argv[i]);

                if (r < 0) {
                        fprintf(stderr, "%s: %s\n", argv[i], strerror(-r));
                        return 1;
                }
                n += r;
        }
        printf("%d inputs\n", n);

        return n > 0 ? 0 : 77;
}
