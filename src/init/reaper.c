/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berth-init: process 1 of a container with Boot=reaper. Runs one command as its child, passes every signal on to it,
 * reaps whatever is left to it, and ends with the command's exit status (128 + N after signal N). Statically linked, it
 * needs nothing of the container's root.
 *
 * When the command has ended, so does the container: the kernel kills what is left of a pid namespace with its
 * process 1.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t run(char **argv, const sigset_t *mask) {
        pid_t pid = fork();

        if (pid != 0)
                return pid;

        /* A session of its own, as a login would give it; signals to its group do not reach us. */
        (void) setsid();
        (void) sigprocmask(SIG_SETMASK, mask, NULL);
        (void) execvp(argv[0], argv);
        (void) fprintf(stderr, "berth-init: cannot run %s: %s\n", argv[0], strerror(errno));
        _exit(errno == ENOENT ? 127 : 126);
}

/* Reaps all that have ended; returns the command's exit status once it is among them, else -1. */
static int reap(pid_t command) {
        int status, result = -1;
        pid_t pid;

        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
                if (pid == command)
                        result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);

        return result;
}

int main(int argc, char **argv) {
        sigset_t all, before;
        pid_t command;
        int result;

        if (argc < 2) {
                (void) fprintf(stderr, "berth-init: runs as process 1 of a container, with a command\n");
                return 2;
        }

        (void) sigfillset(&all);
        (void) sigprocmask(SIG_BLOCK, &all, &before);

        command = run(argv + 1, &before);
        if (command < 0) {
                (void) fprintf(stderr, "berth-init: cannot fork: %s\n", strerror(errno));
                return 126;
        }

        while ((result = reap(command)) < 0) {
                siginfo_t info;
                int signal_number = sigwaitinfo(&all, &info);

                if (signal_number > 0 && signal_number != SIGCHLD)
                        (void) kill(command, signal_number);
        }

        return result;
}
