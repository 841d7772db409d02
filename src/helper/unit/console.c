/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/unit/console.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "helper/unit/journal.h"
#include "spec/helper-interface.h"

static int console_send(const char *unit, int master) {
        const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = CONSOLE_SOCKET };
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(int))];
        } control = {};
        struct iovec iov = { .iov_base = (char *) unit, .iov_len = strlen(unit) };
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof control,
        };
        _cleanup_close_ int fd = -EBADF;

        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *) &address, sizeof address) < 0)
                return -errno;

        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.header), &master, sizeof master);
        return sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

void console_offer(UnitKind kind, const char *name, int master) {
        char unit[UNIT_NAME_SIZE], line[256];
        int r;

        unit_name(kind, name, unit);
        r = console_send(unit, master);
        if (r == 0)
                return;

        (void) snprintf(line, sizeof line, "Nobody took over the console of container %s (" CONSOLE_SOCKET "): %s", name,
                        r == -EAGAIN ? "too many wait there" : strerror(-r));
        journal_print(LOG_NOTICE, kind, name, line);
}
