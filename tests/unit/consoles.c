/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "consoles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/string.h"

#define TURN_USEC 10000

char text[4 * 1024 * 1024];

static void need(bool condition, const char *what) {
        if (condition)
                return;

        perror(what);
        exit(1);
}

static int listen_at(const char *path, int type) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        need(fd >= 0, "socket");
        (void) snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
        (void) unlink(path);
        need(bind(fd, (struct sockaddr *) &address, sizeof address) == 0, "bind");
        return fd;
}

/* the store */

static void store_remove(Stage *stage, const char *name) {
        for (size_t i = stage->n_stored; i > 0; i--)
                if (streq(stage->stored[i - 1].name, name)) {
                        (void) close(stage->stored[i - 1].fd);
                        stage->stored[i - 1] = stage->stored[--stage->n_stored];
                }
}

static void store_handle(Stage *stage, const char *line, int fd) {
        const char *name = strstr(line, "FDNAME=");

        need(name, line);
        name += strlen("FDNAME=");
        if (string_after_prefix(line, "FDSTOREREMOVE=1\n"))
                store_remove(stage, name);
        else {
                need(string_after_prefix(line, "FDSTORE=1\nFDPOLL=0\n") && fd >= 0, line);
                need(stage->n_stored < STORED_MAX, "place in the store");
                stage->stored[stage->n_stored].fd = fd;
                stage->stores += string_after_prefix(name, "console-") != NULL;
                (void) snprintf(stage->stored[stage->n_stored++].name, sizeof stage->stored[0].name, "%s", name);
        }
}

static void store_read(Stage *stage) {
        for (;;) {
                union {
                        struct cmsghdr header;
                        char bytes[CMSG_SPACE(sizeof(int))];
                } control;
                char line[256];
                struct iovec iov = { .iov_base = line, .iov_len = sizeof line - 1 };
                struct msghdr message = {
                        .msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = &control,
                        .msg_controllen = sizeof control,
                };
                ssize_t n = recvmsg(stage->notify, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
                struct cmsghdr *c;
                int fd = -EBADF;

                if (n < 0)
                        return;
                line[n] = '\0';
                c = CMSG_FIRSTHDR(&message);
                if (c && c->cmsg_type == SCM_RIGHTS)
                        memcpy(&fd, CMSG_DATA(c), sizeof fd);
                store_handle(stage, line, fd);
        }
}

int stage_stored(const Stage *stage, const char *name) {
        for (size_t i = 0; i < stage->n_stored; i++)
                if (streq(stage->stored[i].name, name))
                        return stage->stored[i].fd;

        return -ENOENT;
}

/* the manager */

static bool stage_is_up(const char *container, void *userdata) {
        const Stage *stage = userdata;

        return stage->up && !streq(container, "gone");
}

static void stage_idle(void *userdata) {
        Stage *stage = userdata;

        stage->idle++;
}

void stage_restart(Stage *stage) {
        ConsolesHandler handler = { .is_up = stage_is_up, .idle = stage_idle, .userdata = stage };

        need(sd_event_new(&stage->event) >= 0, "sd_event_new");
        need(consoles_new(stage->event, &handler, &stage->consoles) >= 0, "consoles_new");
        need(consoles_take(stage->consoles, "somebody-else's", 0) == 0, "a descriptor that is not a console's");
        need(consoles_take(stage->consoles, "console", fcntl(stage->listener, F_DUPFD_CLOEXEC, 0)) == 1, "the socket");
        for (size_t i = 0; i < stage->n_stored; i++)
                need(consoles_take(
                                     stage->consoles,
                                     stage->stored[i].name,
                                     fcntl(stage->stored[i].fd, F_DUPFD_CLOEXEC, 0)) == 1,
                     "a stored descriptor");
        need(consoles_begin(stage->consoles) == 0, "consoles_begin");
        store_read(stage);
}

void stage_kill(Stage *stage) {
        store_read(stage);
        stage->consoles = consoles_free(stage->consoles);
        stage->event = sd_event_unref(stage->event);
}

void stage_up(Stage *stage) {
        char notify[64];

        *stage = (Stage) { .up = true };
        (void) snprintf(notify, sizeof notify, "/tmp/berth-test-notify.%d", (int) getpid());
        (void) snprintf(stage->path, sizeof stage->path, "/tmp/berth-test-console.%d", (int) getpid());

        stage->notify = listen_at(notify, SOCK_DGRAM);
        need(setenv("NOTIFY_SOCKET", notify, 1) == 0, "setenv");
        stage->listener = listen_at(stage->path, SOCK_SEQPACKET);
        need(setsockopt(stage->listener, SOL_SOCKET, SO_PASSCRED, &(int) { 1 }, sizeof(int)) == 0, "SO_PASSCRED");
        need(listen(stage->listener, 128) == 0, "listen");
        stage_restart(stage);
}

void stage_down(Stage *stage) {
        stage_kill(stage);
        while (stage->n_stored > 0)
                store_remove(stage, stage->stored[0].name);
        (void) unlink(stage->path);
        (void) unlink(getenv("NOTIFY_SOCKET"));
        (void) close(stage->listener);
        (void) close(stage->notify);
}

uint64_t milliseconds(void) {
        struct timespec now;

        need(clock_gettime(CLOCK_MONOTONIC, &now) == 0, "clock_gettime");
        return (uint64_t) now.tv_sec * 1000 + (uint64_t) now.tv_nsec / 1000000;
}

void stage_turn(Stage *stage) {
        need(sd_event_run(stage->event, TURN_USEC) >= 0, "sd_event_run");
        store_read(stage);
}

/* launchers and guests */

void stage_send(const Stage *stage, const void *message, size_t size, const int *fds, size_t n) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(int) * 8)];
        } control = {};
        struct iovec iov = { .iov_base = (void *) message, .iov_len = size };
        struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (n > 0) {
                struct cmsghdr *c;

                header.msg_control = &control;
                header.msg_controllen = CMSG_SPACE(sizeof(int) * n);
                c = CMSG_FIRSTHDR(&header);
                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = SCM_RIGHTS;
                c->cmsg_len = CMSG_LEN(sizeof(int) * n);
                memcpy(CMSG_DATA(c), fds, sizeof(int) * n);
        }

        (void) snprintf(address.sun_path, sizeof address.sun_path, "%s", stage->path);
        need(connect(fd, (struct sockaddr *) &address, sizeof address) == 0, "connect");
        need(sendmsg(fd, &header, MSG_NOSIGNAL) >= 0, "sendmsg");
}

void stage_hand_over(Stage *stage, const char *unit, int master) {
        unsigned before = stage->stores;

        stage_send(stage, unit, strlen(unit), &master, 1);
        need(stage_until(stage, stage->stores > before), "a console that is kept");
}

Pty pty_new(void) {
        struct termios settings;
        int unlock = 0;
        Pty pty;

        pty.master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
        need(pty.master >= 0, "/dev/ptmx");
        need(ioctl(pty.master, TIOCSPTLCK, &unlock) == 0, "TIOCSPTLCK");
        pty.slave = ioctl(pty.master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
        need(pty.slave >= 0, "TIOCGPTPEER");

        need(tcgetattr(pty.slave, &settings) == 0, "tcgetattr");
        cfmakeraw(&settings);
        need(tcsetattr(pty.slave, TCSANOW, &settings) == 0, "tcsetattr");
        return pty;
}

void pty_close(Pty *pty) {
        pty->master = fd_close(pty->master);
        pty->slave = fd_close(pty->slave);
}

bool read_more(int fd, char *buffer, size_t size) {
        size_t length = strlen(buffer);
        ssize_t n = -1;

        while (length + 1 < size) {
                n = read(fd, buffer + length, size - length - 1);
                if (n <= 0)
                        break;
                length += (size_t) n;
                buffer[length] = '\0';
        }

        return n != 0;
}

size_t guest_says(const Pty *pty, const char *what, size_t size) {
        ssize_t n = write(pty->slave, what, size);

        return n > 0 ? (size_t) n : 0;
}

void guest_says_all(Stage *stage, const Pty *pty, const char *what) {
        size_t sent = 0;

        while (sent < strlen(what)) {
                sent += guest_says(pty, what + sent, strlen(what) - sent);
                stage_turn(stage);
        }
}

bool guest_sees(Stage *stage, const Pty *pty, const char *wanted) {
        static char seen[4096];

        seen[0] = '\0';
        return stage_until(stage, (read_more(pty->slave, seen, sizeof seen), strstr(seen, wanted)));
}

int attach(Stage *stage, const char *container) {
        int fd = -EBADF;

        need(consoles_attach(stage->consoles, container, &fd) == 0, "consoles_attach");
        need(fcntl(fd, F_GETFD) & FD_CLOEXEC, "close-on-exec");
        need(fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "O_NONBLOCK");
        return fd;
}

void client_says(int fd, const char *what) {
        need(send(fd, what, strlen(what), MSG_NOSIGNAL) == (ssize_t) strlen(what), "send");
}

bool client_sees(Stage *stage, int fd, const char *wanted) {
        text[0] = '\0';
        return stage_until(stage, read_more(fd, text, sizeof text) && strlen(text) >= strlen(wanted) &&
                                          strcmp(text + strlen(text) - strlen(wanted), wanted) == 0);
}

bool client_sees_end(Stage *stage, int fd) {
        text[0] = '\0';
        return stage_until(stage, !read_more(fd, text, sizeof text));
}
