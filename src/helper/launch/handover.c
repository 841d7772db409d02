/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/launch/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/string.h"

#define STATUS_MAX 512
#define SIGNALS_LOOKED_AT 32

int handover_main_process(const Notify *notify, pid_t pid, int *ret_barrier) {
        char text[64];
        int r;

        (void) snprintf(text, sizeof text, "MAINPID=%d", (int) pid);
        r = notify_send(notify, text);
        if (r < 0)
                return r;

        return notify_barrier_begin(notify, ret_barrier);
}

int handover_watch(pid_t pid) {
        long options = PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL;

        if (ptrace(PTRACE_SEIZE, pid, NULL, (void *) options) < 0)
                return -errno;

        return 0;
}

static bool handover_is_crash(int signal_number) {
        static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS, SIGABRT, SIGTRAP };

        for (size_t i = 0; i < ELEMENTSOF(crashes); i++)
                if (signal_number == crashes[i])
                        return true;

        return false;
}

int handover_wait_exec(pid_t pid) {
        for (;;) {
                int status, deliver = 0;

                if (waitpid(pid, &status, __WALL) < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                /* Held at its exit, so that systemd hears of it only when the cause is told. */
                if (!WIFSTOPPED(status) || status >> 16 == PTRACE_EVENT_EXIT)
                        return -ECHILD;
                if (status >> 16 == PTRACE_EVENT_EXEC)
                        return 0;

                /* Anything else is a signal on its way, which is not ours to keep; but a crash would only repeat
                 * itself, since the kernel protects a traced process 1 from its own faults. */
                if (status >> 16 == 0)
                        deliver = WSTOPSIG(status);
                if (handover_is_crash(deliver))
                        return -ECHILD;
                if (ptrace(PTRACE_CONT, pid, NULL, (void *) (long) deliver) < 0)
                        return -errno;
        }
}

bool handover_is_told_to_end(pid_t pid) {
        struct __ptrace_peeksiginfo_args arguments = { .flags = PTRACE_PEEKSIGINFO_SHARED,
                                                       .nr = SIGNALS_LOOKED_AT };
        siginfo_t pending[SIGNALS_LOOKED_AT];
        long n = ptrace(PTRACE_PEEKSIGINFO, pid, &arguments, pending);

        /* Who is outside of its process namespace has no number there. */
        for (long i = 0; i < n; i++)
                if (pending[i].si_pid == 0 &&
                    (pending[i].si_signo == SIGTERM || pending[i].si_signo == SIGRTMIN + 3))
                        return true;

        return false;
}

int handover_let_end(pid_t pid) {
        return ptrace(PTRACE_SETOPTIONS, pid, NULL, NULL) < 0 ? -errno : 0;
}

int handover_resume(pid_t pid) {
        return ptrace(PTRACE_DETACH, pid, NULL, NULL) < 0 ? -errno : 0;
}

#define MAPS_MAX (1024 * 1024)

/* The "DEVICE INODE" part of a line of /proc/PID/maps; NULL if the line has none. */
static const char *maps_identity(const char *line, size_t *ret_size) {
        const char *end = line + strcspn(line, "\n"), *p = line;

        /* ADDRESSES PERMISSIONS OFFSET DEVICE INODE PATH */
        for (unsigned field = 0; field < 3; field++) {
                p = memchr(p, ' ', (size_t) (end - p));
                if (!p)
                        return NULL;
                p++;
        }

        *ret_size = strcspn(p, " \n");
        if (p[*ret_size] != ' ')
                return NULL;
        *ret_size += 1 + strcspn(p + *ret_size + 1, " \n");
        return p;
}

static const char *maps_next(const char *line) {
        line += strcspn(line, "\n");
        return line + (*line == '\n');
}

/* The line of the mapping that has ADDRESS in it. */
static const char *maps_find(const char *maps, uintptr_t address) {
        for (const char *line = maps; *line; line = maps_next(line)) {
                uintptr_t begin, end;

                if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &begin, &end) == 2 && address >= begin &&
                    address < end)
                        return line;
        }

        return NULL;
}

/* This program's file is where this function is. Compared as text: the device here is not always what
 * stat(2) says. */
int handover_identity(char ret[static IDENTITY_SIZE]) {
        _cleanup_free_ char *maps = NULL;
        const char *line, *identity;
        size_t size = 0;
        int r;

        r = file_read(AT_FDCWD, "/proc/self/maps", MAPS_MAX, &maps, NULL);
        if (r < 0)
                return r;

        line = maps_find(maps, (uintptr_t) handover_identity);
        identity = line ? maps_identity(line, &size) : NULL;
        if (!identity || size >= IDENTITY_SIZE || (size >= 2 && memcmp(identity + size - 2, " 0", 2) == 0))
                return -EBADMSG;

        memcpy(ret, identity, size);
        ret[size] = '\0';
        return 0;
}

int handover_is_tainted(pid_t pid, const char *identity) {
        _cleanup_free_ char *maps = NULL;
        char path[32];
        int r;

        (void) snprintf(path, sizeof path, "/proc/%d/maps", (int) pid);
        r = file_read(AT_FDCWD, path, MAPS_MAX, &maps, NULL);
        if (r < 0)
                return r;

        for (const char *line = maps; *line; line = maps_next(line)) {
                size_t size;
                const char *other = maps_identity(line, &size);

                if (other && strlen(identity) == size && memcmp(identity, other, size) == 0)
                        return 1;
        }

        return 0;
}

/* One datagram of the guest's. Everything in it is hostile: only the sender that the kernel names counts, and of the
 * text only READY=1 and a printable STATUS=. */
static int handover_read_guest(int socket, pid_t pid, bool *ret_ready, char status[static STATUS_MAX]) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int) * 253)];
        } control;
        char text[4096], escaped[STATUS_MAX];
        struct iovec iov = { .iov_base = text, .iov_len = sizeof text - 1 };
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof control,
        };
        struct ucred sender = {};
        char *save = NULL;
        size_t size;
        ssize_t n;

        *ret_ready = false;
        status[0] = '\0';

        n = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
                if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS)
                        memcpy(&sender, CMSG_DATA(c), sizeof sender);
                if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
                        for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
                                int fd;

                                memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
                                (void) close(fd);
                        }
        }
        if (sender.pid != pid || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
                return 0;

        text[n] = '\0';
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                if (strcmp(line, "READY=1") == 0)
                        *ret_ready = true;
                if (strncmp(line, "STATUS=", 7) == 0) {
                        size = (size_t) snprintf(status, STATUS_MAX, "STATUS=Container: ");
                        (void) string_escape_to(line + 7, escaped, sizeof escaped);
                        (void) notify_quote(escaped, status + size, STATUS_MAX - size);
                }
        }

        return 0;
}

int handover_wait_guest(const Notify *notify, int socket, pid_t pid, int pidfd) {
        for (;;) {
                struct pollfd p[] = {
                        { .fd = socket, .events = POLLIN },
                        { .fd = pidfd, .events = POLLIN },
                };
                char status[STATUS_MAX];
                bool ready;
                int r;

                /* How long a guest may take is the unit's TimeoutStartSec=. */
                if (poll(p, ELEMENTSOF(p), -1) < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }

                if (p[0].revents) {
                        r = handover_read_guest(socket, pid, &ready, status);
                        if (r < 0)
                                return r;
                        if (status[0])
                                (void) notify_send(notify, status);
                        if (ready)
                                return 0;
                        continue;
                }
                if (p[1].revents)
                        return -ECHILD;
        }
}

int handover_silence(int socket) {
        struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
        struct sock_fprog program = { .len = 1, .filter = &drop };

        if (setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0)
                return -errno;

        return 0;
}

int handover_ready(const Notify *notify, FdStore *store) {
        int r;

        r = fd_store_commit_rest(store, notify);
        if (r < 0)
                return r;
        return notify_send(notify, "READY=1");
}
