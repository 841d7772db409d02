/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/hooks/output.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "spec/hook.h"

#define JOURNAL_PATH "/run/systemd/journal/socket"
#define FIELDS_SIZE 512

/* journald's native protocol (systemd's JOURNAL_NATIVE_PROTOCOL document). */
static int journal_open(void) {
        const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = JOURNAL_PATH };
        int fd;

        if (!getenv("JOURNAL_STREAM"))
                return -EBADF;
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, (const struct sockaddr *) &address, sizeof address) < 0)
                fd = fd_close(fd);

        return fd < 0 ? -EBADF : fd;
}

int hook_output_begin(HookOutput *output, HookKind hook, UnitKind kind, const char *container, int *ret_fd) {
        int ends[2];

        *output = (HookOutput){ .journal = -EBADF, .hook = hook, .kind = kind, .container = container };
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        output->pipe = ends[0];
        /* For whoever has it and opens it again as /dev/stderr, also with ids of a container's. */
        (void) fchmod(ends[1], 0622);
        if (fcntl(output->pipe, F_SETFL, O_NONBLOCK) < 0) {
                int r = -errno;

                output->pipe = fd_close(ends[0]);
                (void) close(ends[1]);
                return r;
        }

        output->journal = journal_open();
        *ret_fd = ends[1];
        return 0;
}

/* The unit is named, since journald may look for the sender when it is gone. The message's length stands
 * before it. */
static void journal_send(const HookOutput *output) {
        char fields[FIELDS_SIZE], unit[UNIT_NAME_SIZE];
        uint64_t size = htole64(output->n);
        struct iovec iov[4];
        int n;

        unit_name(output->kind, output->container, unit);
        n = snprintf(fields, sizeof fields,
                     "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nHOOK=%s\nOBJECT_SYSTEMD_UNIT=%s\nMESSAGE\n",
                     LOG_INFO, output->container, hook_name(output->hook), unit);
        iov[0] = (struct iovec){ .iov_base = fields, .iov_len = (size_t) n };
        iov[1] = (struct iovec){ .iov_base = &size, .iov_len = sizeof size };
        iov[2] = (struct iovec){ .iov_base = (char *) output->line, .iov_len = output->n };
        iov[3] = (struct iovec){ .iov_base = (char *) "\n", .iov_len = 1 };

        (void) sendmsg(output->journal, &(struct msghdr){ .msg_iov = iov, .msg_iovlen = ELEMENTSOF(iov) },
                       MSG_NOSIGNAL);
}

static void line_end(HookOutput *output) {
        size_t kept = output->n < sizeof output->last ? output->n : sizeof output->last - 1;

        if (output->n == 0)
                return;

        memcpy(output->last, output->line, kept);
        output->last[kept] = '\0';
        if (output->journal >= 0)
                journal_send(output);
        else
                (void) fprintf(stderr, "%s: %.*s\n", hook_name(output->hook), (int) output->n, output->line);
        output->n = 0;
}

int hook_output_read(HookOutput *output) {
        char buffer[4096];
        ssize_t n;

        n = read(output->pipe, buffer, sizeof buffer);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        if (n == 0)
                return 1;

        for (ssize_t i = 0; i < n; i++) {
                if (buffer[i] == '\n')
                        line_end(output);
                else
                        output->line[output->n++] = buffer[i];
                if (output->n == sizeof output->line)
                        line_end(output);
        }

        return 0;
}

void hook_output_done(HookOutput *output) {
        line_end(output);
        output->pipe = fd_close(output->pipe);
        output->journal = fd_close(output->journal);
}
