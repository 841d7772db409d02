/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See process.h. Whether the exec succeeded is told by a pipe that it closes.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "ctl/process.h"

static _noreturn_ void execute(char *const *argv, int fd, int target, int report, pid_t parent) {
        sigset_t none;
        int error;

        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
        (void) signal(SIGINT, SIG_DFL);
        (void) signal(SIGQUIT, SIG_DFL);
        (void) signal(SIGPIPE, SIG_DFL);
        (void) prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent)
                _exit(EXIT_FAILURE);

        if (fd < 0 || (fd == target ? fcntl(fd, F_SETFD, 0) : dup2(fd, target)) >= 0)
                (void) execvp(argv[0], argv);

        error = errno;
        (void) !write(report, &error, sizeof error);
        _exit(EXIT_FAILURE);
}

int process_start(char *const *argv, int fd, int target, pid_t *ret_pid) {
        _cleanup_close_ int reading = -EBADF, low = -EBADF, writing = -EBADF;
        pid_t parent = getpid(), pid;
        int ends[2], error;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        reading = ends[0];
        low = ends[1];

        /* Where the program's own descriptor cannot take its place. */
        writing = fcntl(low, F_DUPFD_CLOEXEC, target + 1 > 3 ? target + 1 : 3);
        if (writing < 0)
                return -errno;
        low = fd_close(low);

        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                execute(argv, fd, target, writing, parent);

        writing = fd_close(writing);
        if (TEMP_FAILURE_RETRY(read(reading, &error, sizeof error)) == (ssize_t) sizeof error) {
                (void) process_wait(pid);
                return -error;
        }

        *ret_pid = pid;
        return 0;
}

int process_wait(pid_t pid) {
        int status;

        if (TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) < 0)
                return EXIT_FAILURE;

        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int process_run(char *const *argv) {
        struct sigaction ignore = { .sa_handler = SIG_IGN }, interrupt, quit;
        pid_t pid;
        int r;

        (void) sigaction(SIGINT, &ignore, &interrupt);
        (void) sigaction(SIGQUIT, &ignore, &quit);
        r = process_start(argv, -EBADF, -EBADF, &pid);
        if (r >= 0)
                r = process_wait(pid);
        (void) sigaction(SIGINT, &interrupt, NULL);
        (void) sigaction(SIGQUIT, &quit, NULL);

        return r;
}
