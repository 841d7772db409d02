/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/unit/journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"

#define STREAM_PATH "/run/systemd/journal/stdout"

/* A stream like those that systemd opens for units (journald-stream.c): identifier, unit, priority, whether lines carry
 * a priority, and where to forward to. The unit is named here and not found out by the sender's process, which may be
 * gone by then; journald takes it from root only. */
static int journal_open(int priority, UnitKind kind, const char *name, int *ret_fd) {
        const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = STREAM_PATH };
        _cleanup_free_ char *header = NULL;
        _cleanup_close_ int fd = -EBADF;
        char unit[UNIT_NAME_SIZE];
        int n, r;

        unit_name(kind, name, unit);
        n = asprintf(&header, "%s\n%s\n%d\n0\n0\n0\n0\n", name, unit, priority);
        if (n < 0)
                return -ENOMEM;

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *) &address, sizeof address) < 0)
                return -errno;
        r = fd_write_all(fd, header, (size_t) n);
        if (r < 0)
                return r;

        *ret_fd = TAKE_FD(fd);
        return 0;
}

void journal_print(int priority, UnitKind kind, const char *name, const char *line) {
        _cleanup_close_ int fd = -EBADF;

        /* Run by hand, or with the unit's output going somewhere else: then that is where it is looked for. */
        if (!getenv("JOURNAL_STREAM") || journal_open(priority, kind, name, &fd) < 0)
                (void) fprintf(stderr, "%s\n", line);
        else
                (void) dprintf(fd, "%s\n", line);
}
