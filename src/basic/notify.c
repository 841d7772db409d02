/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "basic/cleanup.h"

int notify_init(Notify *notify) {
        _cleanup_close_ int fd = -EBADF;
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        const char *path;
        size_t size;

        *notify = NOTIFY_NULL;

        path = getenv("NOTIFY_SOCKET");
        if (!path)
                return 0;

        size = strlen(path);
        if ((path[0] != '/' && path[0] != '@') || size < 2 || size >= sizeof address.sun_path)
                return -EINVAL;

        memcpy(address.sun_path, path, size);
        if (path[0] == '@')
                address.sun_path[0] = '\0';

        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;

        if (connect(fd, (struct sockaddr *) &address, (socklen_t) (offsetof(struct sockaddr_un, sun_path) + size)) < 0)
                return -errno;

        (void) unsetenv("NOTIFY_SOCKET");
        notify->socket = TAKE_FD(fd);
        return 0;
}

void notify_done(Notify *notify) {
        notify->socket = fd_close(notify->socket);
}

size_t notify_quote(const char *text, char *buffer, size_t size) {
        size_t used = 0;

        for (; *text; text++) {
                size_t n = *text == '\\' ? 2 : 1;

                if (n >= size - used)
                        break;
                memset(buffer + used, *text, n);
                used += n;
        }
        buffer[used] = '\0';

        return used;
}

int notify_send_fds(const Notify *notify, const char *message, const int *fds, size_t n_fds) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(int) * NOTIFY_FDS_MAX)];
        } control = {};
        struct iovec iov = { .iov_base = (char *) message, .iov_len = strlen(message) };
        struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };

        if (notify->socket < 0)
                return 0;
        if (n_fds > NOTIFY_FDS_MAX)
                return -E2BIG;

        if (n_fds > 0) {
                struct cmsghdr *c;

                header.msg_control = &control;
                header.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
                c = CMSG_FIRSTHDR(&header);
                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = SCM_RIGHTS;
                c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
                memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
        }

        if (sendmsg(notify->socket, &header, MSG_NOSIGNAL) < 0)
                return -errno;

        return 0;
}

int notify_send(const Notify *notify, const char *message) {
        return notify_send_fds(notify, message, NULL, 0);
}

int notify_barrier_begin(const Notify *notify, int *ret_fd) {
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF;
        int ends[2], r;

        if (notify->socket < 0) {
                *ret_fd = -EBADF;
                return 0;
        }

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        ours = ends[0];
        theirs = ends[1];

        r = notify_send_fds(notify, "BARRIER=1", &theirs, 1);
        if (r < 0)
                return r;

        *ret_fd = TAKE_FD(ours);
        return 0;
}

int notify_barrier_wait(int fd_take, int timeout_msec) {
        _cleanup_close_ int fd = fd_take;
        struct pollfd p = { .fd = fd };
        int r;

        if (fd < 0)
                return 0;

        /* Only POLLHUP matters, which is always watched for. */
        do
                r = poll(&p, 1, timeout_msec);
        while (r < 0 && errno == EINTR);

        if (r < 0)
                return -errno;

        return r == 0 ? -ETIMEDOUT : 0;
}
