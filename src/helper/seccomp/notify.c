/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/seccomp/notify.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "spec/limits.h"

#define MESSAGE_SIZE 256

typedef union Control {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
} Control;

static int send_fd(int socket, const void *data, size_t size, int fd) {
        Control control = {};
        struct iovec iov = { .iov_base = (void *) data, .iov_len = size };
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof control,
        };
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);

        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);

        return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int seccomp_notify_connect(Failure *failure, const char *path, int *ret_server) {
        const struct timeval limit = { .tv_sec = SECCOMP_NOTIFY_MSEC / 1000 };
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = step_begin(failure, STEP_SECCOMP, "at %s", path);
        if (r < 0)
                return r;

        if (strlen(path) >= sizeof address.sun_path)
                return failure_cause(
                                failure, -ENAMETOOLONG, "the path of a socket has at most %zu bytes",
                                sizeof address.sun_path - 1);
        memcpy(address.sun_path, path, strlen(path) + 1);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0 ||
            setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *) &address, sizeof address) == 0) {
                *ret_server = TAKE_FD(fd);
                return 0;
        }
        if (errno == EAGAIN)
                return failure_cause(
                                failure, -ETIMEDOUT,
                                "who is to answer for system calls has not accepted a connection within %d "
                                "s",
                                SECCOMP_NOTIFY_MSEC / 1000);
        return failure_cause(
                        failure, -errno, "nobody is there to answer for system calls: %s", strerror(errno));
}

int seccomp_notify_send(int launcher, int listener_take) {
        _cleanup_close_ int listener = listener_take;

        return send_fd(launcher, "", 1, listener);
}

/* The payload's next message, if it is the one with the listener. A failure stays where it is. */
static int receive_listener(int payload, int *ret) {
        Control control = {};
        char byte[2];
        struct iovec iov = { .iov_base = byte, .iov_len = sizeof byte };
        struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control };
        struct cmsghdr *c;
        ssize_t n;

        do
                n = recv(payload, byte, sizeof byte, MSG_PEEK | MSG_TRUNC);
        while (n < 0 && errno == EINTR);
        if (n != 1)
                return -ECHILD;

        message.msg_controllen = sizeof control;
        if (recvmsg(payload, &message, MSG_CMSG_CLOEXEC) < 0)
                return -errno;
        c = CMSG_FIRSTHDR(&message);
        if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(int)))
                return -EBADMSG;
        memcpy(ret, CMSG_DATA(c), sizeof *ret);
        return 0;
}

int seccomp_notify_pass(Failure *failure, int payload, const char *container, pid_t pid, int server) {
        _cleanup_close_ int listener = -EBADF;
        char text[MESSAGE_SIZE], answer;
        ssize_t n;
        int r;

        r = receive_listener(payload, &listener);
        if (r < 0)
                return r;

        /* A container's name needs no quoting. */
        (void) snprintf(text, sizeof text, "{\"version\":1,\"container\":\"%s\",\"pid\":%d}\n", container,
                        (int) pid);
        r = send_fd(server, text, strlen(text), listener);
        if (r < 0)
                return failure_cause(
                                failure, r,
                                "who is to answer for system calls does not take their descriptor: %s",
                                strerror(-r));
        do
                n = recv(server, &answer, 1, 0);
        while (n < 0 && errno == EINTR);
        if (n < 0 && errno == EAGAIN)
                return failure_cause(
                                failure, -ETIMEDOUT,
                                "who is to answer for system calls has not said within %d s that "
                                "it has their descriptor",
                                SECCOMP_NOTIFY_MSEC / 1000);
        if (n <= 0)
                return failure_cause(
                                failure, n < 0 ? -errno : -ECONNRESET,
                                "who is to answer for system calls hung up when it was given their "
                                "descriptor");

        return 0;
}
