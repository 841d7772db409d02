/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berth-unpack: fills a directory from an archive or a tree, without any right over the host. Run by the helper in
 * namespaces that it made, not by people; arguments, descriptors and the answer are in spec/unpack.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "unpack/archive.h"
#include "unpack/check.h"
#include "unpack/rootless.h"
#include "unpack/tree.h"

static int unpack(Report *report, const char *source, int root) {
        Writer writer;
        int r;

        r = writer_init(&writer, report, root);
        if (r < 0)
                return r;

        if (streq(source, UNPACK_ARCHIVE))
                r = archive_unpack(report, &writer, UNPACK_FD_INPUT);
        else
                r = tree_copy(report, &writer, UNPACK_FD_TREE, streq(source, UNPACK_TREE_OF_ONE));
        if (r >= 0)
                r = writer_finish(&writer);
        writer_done(&writer);
        return r < 0 ? r : check_root(report, root);
}

/* Names are UTF-8; with any other locale libarchive would have the C library load converters, from the new root. */
static int run(Report *report, const char *source) {
        _cleanup_close_ int root = -EBADF;
        int r;

        if (!setlocale(LC_CTYPE, "C.UTF-8"))
                return report_fail(report, -ENOENT, NULL, "cannot prepare", "there is no locale C.UTF-8");
        if (fcntl(UNPACK_FD_PROGRESS, F_GETFD) >= 0)
                report->progress = UNPACK_FD_PROGRESS;
        (void) umask(0);
        (void) signal(SIGPIPE, SIG_IGN);

        r = rootless_enter(UNPACK_FD_TARGET);
        if (r < 0)
                return report_fail(report, r, NULL, "cannot give up rights", strerror(-r));
        root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return -errno;

        return unpack(report, source, root);
}

int main(int argc, char **argv) {
        Report report = REPORT_NULL;
        int r;

        if (argc != 2 || (!streq(argv[1], UNPACK_ARCHIVE) && !streq(argv[1], UNPACK_TREE) &&
                          !streq(argv[1], UNPACK_TREE_OF_ONE))) {
                (void) fprintf(stderr, "Usage: berth-unpack archive | tree | tree-of-one\n\nRun by berth's helper.\n");
                return 2;
        }

        r = run(&report, argv[1]);
        if (report_send(&report, UNPACK_FD_ANSWER, r) < 0)
                return EXIT_FAILURE;

        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
