/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/string.h"
#include "spec/limits.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define MESSAGE_FDS_MAX (1 + HANDOVER_FDS_MAX)

typedef union Control {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * MESSAGE_FDS_MAX)];
} Control;

/* The first N bytes at NAME, of which a letter or digit is the first. */
static bool name_is_valid(const char *name, size_t n) {
        static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

        if (n == 0 || n > HANDOVER_NAME_MAX || !name[0] || !strchr(plain, name[0]))
                return false;
        for (size_t i = 0; i < n; i++)
                if (!name[i] || (!strchr(plain, name[i]) && !strchr("_-.", name[i])))
                        return false;

        return true;
}

bool handover_name_is_valid(const char *name) {
        return name_is_valid(name, strlen(name));
}

void handover_clear(Handover *handover) {
        handover->definition = fd_close(handover->definition);
        for (size_t i = 0; i < handover->n_fds; i++)
                handover->fds[i].fd = fd_close(handover->fds[i].fd);
        handover->n_fds = 0;
}

int handover_find(const Handover *handover, const char *name) {
        for (size_t i = 0; i < handover->n_fds; i++)
                if (streq(handover->fds[i].name, name))
                        return handover->fds[i].fd;

        return -EBADF;
}

int handover_encode(const char *const *names, size_t n, char ret[static HANDOVER_DATA_MAX], size_t *ret_size) {
        size_t size = strlen(HANDOVER_MAGIC);

        if (n > HANDOVER_FDS_MAX)
                return -E2BIG;

        memcpy(ret, HANDOVER_MAGIC, size);
        for (size_t i = 0; i < n; i++) {
                size_t length = strlen(names[i]);

                if (!name_is_valid(names[i], length))
                        return -EINVAL;
                for (size_t j = 0; j < i; j++)
                        if (streq(names[i], names[j]))
                                return -EINVAL;

                memcpy(ret + size, names[i], length);
                size += length;
                ret[size++] = '\n';
        }

        *ret_size = size;
        return 0;
}

int handover_decode(const char *data, size_t size, Handover *handover) {
        const char *p, *end = data + size;
        size_t n = 0;

        if (size < strlen(HANDOVER_MAGIC) || memcmp(data, HANDOVER_MAGIC, strlen(HANDOVER_MAGIC)) != 0)
                return -EBADMSG;

        for (p = data + strlen(HANDOVER_MAGIC); p < end;) {
                const char *newline = memchr(p, '\n', (size_t) (end - p));
                HandoverFd *entry = handover->fds + n;

                if (!newline || n >= HANDOVER_FDS_MAX || !name_is_valid(p, (size_t) (newline - p)))
                        return -EBADMSG;
                *entry = (HandoverFd) { .fd = -EBADF };
                memcpy(entry->name, p, (size_t) (newline - p));
                for (size_t i = 0; i < n; i++)
                        if (streq(handover->fds[i].name, entry->name))
                                return -EBADMSG;

                n++;
                p = newline + 1;
        }

        handover->n_fds = n;
        return 0;
}

/* systemd keeps an open file once in a unit's store, whatever its names. A kernel that cannot compare two descriptors
 * (no kcmp(2)) is taken to have found no such pair. */
static int check_different(const int *fds, size_t n) {
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < i; j++)
                        if (syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, (unsigned long) fds[i],
                                    (unsigned long) fds[j]) == 0)
                                return -EEXIST;

        return 0;
}

static int definition_seal(const char *text, size_t size, int *ret_fd) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        fd = memfd_create("berth-definition", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0)
                return -errno;
        r = fd_write_all(fd, text, size);
        if (r < 0)
                return r;
        if (fcntl(fd, F_ADD_SEALS, SEALS) < 0)
                return -errno;

        *ret_fd = TAKE_FD(fd);
        return 0;
}

int handover_send(int socket, const char *text, size_t text_size, const char *const *names, const int *fds, size_t n) {
        _cleanup_close_ int definition = -EBADF;
        char data[HANDOVER_DATA_MAX];
        Control control = {};
        struct iovec iov = { .iov_base = data };
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = CMSG_SPACE(sizeof(int) * (1 + n)),
        };
        int r;

        if (text_size > FILE_SIZE_MAX)
                return -E2BIG;
        r = handover_encode(names, n, data, &iov.iov_len);
        if (r < 0)
                return r;
        r = check_different(fds, n);
        if (r < 0)
                return r;
        r = definition_seal(text, text_size, &definition);
        if (r < 0)
                return r;

        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int) * (1 + n));
        memcpy(CMSG_DATA(&control.header), &definition, sizeof definition);
        if (n > 0)
                memcpy(CMSG_DATA(&control.header) + sizeof(int), fds, sizeof(int) * n);

        return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* The descriptors of a message, all of which are ours from now on. */
static size_t message_fds(struct msghdr *message, int fds[static MESSAGE_FDS_MAX]) {
        size_t n = 0;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
                size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                for (size_t i = 0; i < count && n < MESSAGE_FDS_MAX; i++)
                        memcpy(fds + n++, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
        }

        return n;
}

/* Nobody can change a text that was checked, and nobody in a container can have made it: a guest that gets
 * at systemd's notification socket could put a file of its own into the store. */
static int check_definition(int fd) {
        struct stat st;
        int seals;

        seals = fcntl(fd, F_GET_SEALS);
        if (seals < 0 || !FLAGS_SET(seals, SEALS))
                return -EBADMSG;
        if (fstat(fd, &st) < 0)
                return -errno;

        return S_ISREG(st.st_mode) && st.st_size <= FILE_SIZE_MAX && st.st_uid == geteuid() ? 0 : -EBADMSG;
}

int handover_receive(int socket, Handover *ret) {
        _cleanup_(handover_clear) Handover handover = HANDOVER_NULL;
        char data[HANDOVER_DATA_MAX];
        int fds[MESSAGE_FDS_MAX], r;
        Control control;
        struct iovec iov = { .iov_base = data, .iov_len = sizeof data };
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                /* Without the padding, where there would be room for one more. */
                .msg_controllen = CMSG_LEN(sizeof(int) * MESSAGE_FDS_MAX),
        };
        size_t n_fds;
        ssize_t n;

        n = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0)
                return errno == EAGAIN ? -ENODATA : -errno;

        n_fds = message_fds(&message, fds);
        if (n == 0 && n_fds == 0)
                return -ENODATA;

        r = message.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ? -EBADMSG : handover_decode(data, (size_t) n, &handover);
        if (r == 0 && n_fds != 1 + handover.n_fds)
                r = -EBADMSG;
        if (r < 0) {
                handover.n_fds = 0;
                for (size_t i = 0; i < n_fds; i++)
                        (void) close(fds[i]);
                return r;
        }

        handover.definition = fds[0];
        for (size_t i = 0; i < handover.n_fds; i++)
                handover.fds[i].fd = fds[1 + i];
        r = check_definition(handover.definition);
        if (r < 0)
                return r;

        *ret = handover;
        handover = (Handover) HANDOVER_NULL;
        return 0;
}

int handover_read_definition(int fd, char **ret, size_t *ret_size) {
        int r;

        r = check_definition(fd);
        if (r < 0)
                return r;
        /* The store's descriptor and this one share a position. */
        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;

        return fd_read_all(fd, FILE_SIZE_MAX, ret, ret_size);
}
