/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/serve/child.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/parse.h"
#include "basic/string.h"
#include "spec/helper-interface.h"

/* The first byte of the one message that a child sends. */
#define MARK_RESULT 'R'
#define MARK_ERROR 'E' /* the error's name, a NUL, the sentence */
#define SENTENCE_MAX 4096

struct Child {
        int pidfd, socket;
        sd_event_source *source;
        ChildDone done;
        void *userdata;
};

static int child_send(ChildReport *report, const char *data, size_t size, int fd) {
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int))];
        } control = {};
        struct iovec iov = { .iov_base = (void *) data, .iov_len = size };
        struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

        if (fd >= 0) {
                message.msg_control = &control;
                message.msg_controllen = sizeof control;
                control.header = (struct cmsghdr){
                        .cmsg_level = SOL_SOCKET,
                        .cmsg_type = SCM_RIGHTS,
                        .cmsg_len = CMSG_LEN(sizeof fd),
                };
                memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
        }

        return sendmsg(report->socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int child_give_fd(ChildReport *report, const char *text, int fd) {
        _cleanup_free_ char *data = NULL;
        size_t size = strlen(text);

        if (size > CHILD_TEXT_MAX)
                return -E2BIG;

        data = malloc(size + 1);
        if (!data)
                return -ENOMEM;
        data[0] = MARK_RESULT;
        memcpy(data + 1, text, size);

        return child_send(report, data, size + 1, fd);
}

int child_give(ChildReport *report, const char *text) {
        return child_give_fd(report, text, -EBADF);
}

int child_give_error(ChildReport *report, const char *error, const char *format, ...) {
        char data[SENTENCE_MAX];
        size_t at = strlen(error) + 2;
        va_list args;
        int n;

        if (at >= sizeof data)
                return -EINVAL;
        data[0] = MARK_ERROR;
        memcpy(data + 1, error, at - 1);
        va_start(args, format);
        n = vsnprintf(data + at, sizeof data - at, format, args);
        va_end(args);
        if (n < 0)
                return -EINVAL;

        return child_send(report, data, at + strlen(data + at), -EBADF);
}

static int compare_fds(const void *a, const void *b) {
        const int *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

/* FDS is sorted here. */
static int close_all_but(int *fds, size_t n) {
        unsigned first = STDERR_FILENO + 1;

        qsort(fds, n, sizeof *fds, compare_fds);
        for (size_t i = 0; i < n; i++) {
                unsigned fd = (unsigned) fds[i];

                if (fd < first)
                        continue;
                if (fd > first && close_range(first, fd - 1, 0) < 0)
                        return -errno;
                first = fd + 1;
        }

        return close_range(first, ~0U, 0) < 0 ? -errno : 0;
}

/* The serving process keeps itself small; the work may need more. */
static int raise_data_limit(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_DATA, &limit) < 0)
                return -errno;
        limit.rlim_cur = limit.rlim_max;

        return setrlimit(RLIMIT_DATA, &limit) < 0 ? -errno : 0;
}

static int child_prepare(pid_t parent, int *fds, size_t n_fds) {
        sigset_t none;
        int r;

        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
                return -errno;
        if (getppid() != parent)
                return -ESRCH;

        r = close_all_but(fds, n_fds);
        if (r < 0)
                return r;
        (void) sigemptyset(&none);
        if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
                return -errno;

        return raise_data_limit();
}

_noreturn_ static void
child_run(ChildReport *report, pid_t parent, const ChildTask *task, int *fds, size_t n_fds) {
        int r;

        r = child_prepare(parent, fds, n_fds);
        if (r >= 0)
                r = task->work(report, task->userdata);
        if (r < 0)
                r = child_give_error(report, HELPER_ERROR_FAILED, "%s", strerror(-r));

        _exit(r < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

static void child_free(Child *child) {
        sd_event_source_disable_unref(child->source);
        (void) fd_close(child->pidfd);
        (void) fd_close(child->socket);
        free(child);
}
DEFINE_CLEANUP(Child *, child_free)

/* Takes apart what a child gave. BUFFER has SIZE bytes of it and a NUL behind them. */
static int result_read(char *buffer, size_t size, ChildResult *result) {
        size_t name;

        if (size == 0 ||
            memchr(buffer, '\0', size) != (buffer[0] == MARK_ERROR ? strchr(buffer, '\0') : NULL))
                return -EBADMSG;
        result->text = buffer + 1;
        if (buffer[0] == MARK_RESULT)
                return 0;

        name = strlen(buffer);
        if (buffer[0] != MARK_ERROR || name >= size || memchr(buffer + name + 1, '\0', size - name - 1))
                return -EBADMSG;
        result->error = buffer + 1;
        result->text = buffer + name + 1;

        return 0;
}

/* 0 also when there is no message: then result->text is NULL. */
static int result_receive(int socket, char *buffer, ChildResult *result) {
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int))];
        } control = {};
        struct iovec iov = { .iov_base = buffer, .iov_len = CHILD_TEXT_MAX + 1 };
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof control,
        };
        ssize_t n;

        n = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0)
                return errno == EAGAIN ? 0 : -errno;
        if (n == 0)
                return 0;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
                if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
                    c->cmsg_len == CMSG_LEN(sizeof(int)))
                        memcpy(&result->fd, CMSG_DATA(c), sizeof(int));
        if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
                return -EBADMSG;
        buffer[n] = '\0';

        return result_read(buffer, (size_t) n, result);
}

static void describe_end(const siginfo_t *info, char *text, size_t size) {
        char buffer[16];
        const char *name = signal_name(info->si_status, buffer);

        if (info->si_code == CLD_EXITED)
                (void) snprintf(text, size, "The process that does it ended with status %d",
                                info->si_status);
        else
                (void) snprintf(text, size, "The process that does it was killed by signal %s", name ?: "?");
}

static int on_end(sd_event_source *source, const siginfo_t *info, void *userdata) {
        _cleanup_(child_freep) Child *child = userdata;
        ChildResult result = { .fd = -EBADF };
        _cleanup_free_ char *buffer = NULL;
        char ended[96];
        int r;

        buffer = malloc(CHILD_TEXT_MAX + 2);
        r = buffer ? result_receive(child->socket, buffer, &result) : -ENOMEM;
        if (r < 0 || !result.text) {
                describe_end(info, ended, sizeof ended);
                result.error = HELPER_ERROR_FAILED;
                result.text = r < 0 ? strerror(-r) : ended;
        }
        child->done(&result, child->userdata);
        (void) fd_close(result.fd);

        return 0;
}

int child_start(sd_event *event, const ChildTask *task, ChildDone done, void *userdata, Child **ret) {
        _cleanup_(child_freep) Child *child = NULL;
        _cleanup_close_ int theirs = -EBADF;
        _cleanup_free_ int *keep = NULL;
        pid_t pid, parent = getpid();
        int ends[2], r;

        child = malloc(sizeof *child);
        keep = calloc(task->n_fds + 1, sizeof *keep);
        if (!child || !keep) {
                free(TAKE_PTR(child));
                return -ENOMEM;
        }
        *child = (Child){ .pidfd = -EBADF, .socket = -EBADF, .done = done, .userdata = userdata };

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                return -errno;
        child->socket = ends[0];
        theirs = ends[1];
        for (size_t i = 0; i < task->n_fds; i++)
                keep[i] = task->fds[i];
        keep[task->n_fds] = theirs;

        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                child_run(&(ChildReport){ .socket = theirs }, parent, task, keep, task->n_fds + 1);

        /* It is ours and not waited for, so that the number cannot be another's. */
        child->pidfd = pidfd_open(pid, 0);
        r = child->pidfd < 0 ? -errno
                             : sd_event_add_child_pidfd(
                                               event, &child->source, child->pidfd, WEXITED, on_end, child);
        if (r < 0) {
                (void) kill(pid, SIGKILL);
                (void) waitpid(pid, NULL, 0);
                return r;
        }

        *ret = TAKE_PTR(child);
        return 0;
}

void child_kill(Child *child) {
        (void) pidfd_send_signal(child->pidfd, SIGKILL, NULL, 0);
}
