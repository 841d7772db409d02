/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/console/inlet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "basic/macro.h"
#include "spec/limits.h"
#include "spec/unit.h"

typedef struct Sender Sender;

struct Sender {
        Inlet *inlet;
        Sender *next;
        int fd;
        sd_event_source *io;
        sd_event_source *deadline;
};

struct Inlet {
        sd_event *event;
        int fd;
        sd_event_source *io;
        InletCallback callback;
        void *userdata;
        Sender *senders;
        size_t n_senders;
};

static Sender *sender_free(Sender *sender) {
        if (!sender)
                return NULL;

        sd_event_source_disable_unref(sender->io);
        sd_event_source_disable_unref(sender->deadline);
        sender->fd = fd_close(sender->fd);
        free(sender);
        return NULL;
}
DEFINE_CLEANUP(Sender *, sender_free)

static void inlet_refused(const char *why) {
        (void) fprintf(stderr, SD_WARNING "A console that was handed over is refused: %s\n", why);
}

/* Forgets a sender, and listens again for others. */
static void inlet_drop(Inlet *inlet, Sender *sender) {
        for (Sender **p = &inlet->senders; *p; p = &(*p)->next)
                if (*p == sender) {
                        *p = sender->next;
                        inlet->n_senders--;
                        (void) sender_free(sender);
                        break;
                }

        (void) sd_event_source_set_enabled(inlet->io, SD_EVENT_ON);
}

/* Takes the one descriptor out of a message. If there are several, or it is not a pty's master, none is kept, and
 * RET_WHY says so. */
static int message_take_master(struct msghdr *message, const char **ret_why) {
        _cleanup_close_ int fd = -EBADF;
        size_t n = 0;
        unsigned number;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++, n++) {
                        fd = fd_close(fd);
                        memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
                }
        }

        if (n != 1 || (message->msg_flags & MSG_CTRUNC)) {
                *ret_why = n == 0 ? "there is no descriptor with it" : "there is more than one descriptor with it";
                return -EBADMSG;
        }
        if (ioctl(fd, TIOCGPTN, &number) < 0) {
                *ret_why = "the descriptor is not the master of a pseudo-terminal";
                return -EBADMSG;
        }

        return TAKE_FD(fd);
}

/* Reads a sender's message. 0 when there is none yet, 1 when it is done with. */
static int sender_receive(const Sender *sender) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int) * 4)];
        } control;
        char unit[UNIT_NAME_SIZE], container[NAME_MAX_LENGTH + 1];
        struct iovec iov = { .iov_base = unit, .iov_len = sizeof unit - 1 };
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof control,
        };
        const Inlet *inlet = sender->inlet;
        const char *why = NULL;
        UnitKind kind;
        ssize_t n;
        int fd;

        n = recvmsg(sender->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n < 0) {
                inlet_refused(strerror(errno));
                return 1;
        }

        unit[n] = '\0';
        fd = message_take_master(&message, &why);
        if (fd < 0) {
                inlet_refused(why);
                return 1;
        }
        if ((message.msg_flags & MSG_TRUNC) || strlen(unit) != (size_t) n ||
            unit_name_parse(unit, &kind, container, sizeof container) < 0) {
                (void) fd_close(fd);
                inlet_refused("it does not name the unit of a container");
                return 1;
        }

        inlet->callback(container, fd, inlet->userdata);
        return 1;
}

static int sender_on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Sender *sender = userdata;

        if (sender_receive(sender) > 0)
                inlet_drop(sender->inlet, sender);
        return 0;
}

static int sender_on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        Sender *sender = userdata;

        inlet_refused("it did not come in time");
        inlet_drop(sender->inlet, sender);
        return 0;
}

static int inlet_add(Inlet *inlet, int fd_take) {
        _cleanup_close_ int fd = fd_take;
        _cleanup_(sender_freep) Sender *sender = NULL;
        int r;

        sender = malloc(sizeof *sender);
        if (!sender)
                return -ENOMEM;
        *sender = (Sender) { .inlet = inlet, .fd = TAKE_FD(fd) };

        r = sd_event_add_io(inlet->event, &sender->io, sender->fd, EPOLLIN, sender_on_io, sender);
        if (r < 0)
                return r;
        r = sd_event_add_time_relative(
                        inlet->event,
                        &sender->deadline,
                        CLOCK_MONOTONIC,
                        CONSOLE_SENDER_USEC,
                        0,
                        sender_on_deadline,
                        sender);
        if (r < 0)
                return r;

        sender->next = inlet->senders;
        inlet->senders = TAKE_PTR(sender);
        inlet->n_senders++;
        return 0;
}

static int inlet_on_io(sd_event_source *source, int listener, uint32_t revents, void *userdata) {
        Inlet *inlet = userdata;
        struct ucred peer = { .uid = UINT32_MAX };
        socklen_t size = sizeof peer;
        int fd, r;

        fd = accept4(inlet->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
                if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
                        inlet_refused(strerror(errno));
                return 0;
        }

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != 0) {
                (void) fd_close(fd);
                inlet_refused("its sender is not root");
                return 0;
        }

        r = inlet_add(inlet, fd);
        if (r < 0)
                inlet_refused(strerror(-r));
        if (inlet->n_senders >= CONSOLE_SENDERS_MAX)
                (void) sd_event_source_set_enabled(inlet->io, SD_EVENT_OFF);
        return 0;
}

int inlet_new(sd_event *event, int fd_take, InletCallback callback, void *userdata, Inlet **ret) {
        _cleanup_close_ int fd = fd_take;
        _cleanup_(inlet_freep) Inlet *inlet = NULL;
        int r, nonblocking = 1;

        if (ioctl(fd, FIONBIO, &nonblocking) < 0)
                return -errno;

        inlet = malloc(sizeof *inlet);
        if (!inlet)
                return -ENOMEM;
        *inlet = (Inlet) {
                .event = sd_event_ref(event),
                .fd = TAKE_FD(fd),
                .callback = callback,
                .userdata = userdata,
        };

        r = sd_event_add_io(event, &inlet->io, inlet->fd, EPOLLIN, inlet_on_io, inlet);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(inlet);
        return 0;
}

Inlet *inlet_free(Inlet *inlet) {
        if (!inlet)
                return NULL;

        while (inlet->senders) {
                Sender *next = inlet->senders->next;

                (void) sender_free(inlet->senders);
                inlet->senders = next;
        }
        sd_event_source_disable_unref(inlet->io);
        inlet->fd = fd_close(inlet->fd);
        sd_event_unref(inlet->event);
        free(inlet);
        return NULL;
}
