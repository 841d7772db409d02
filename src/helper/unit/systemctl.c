/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/unit/systemctl.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"

#define ASK_TRIES 4
#define ASK_PAUSE_USEC 250000

/* Runs a program and waits; *ret_output is what it printed, if it is wanted. */
static int program_run(char *const *argv, char **ret_output, int *ret_status) {
        char *environment[] = { (char *) "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF;
        posix_spawn_file_actions_t actions;
        int ends[2], r, status = 0;
        pid_t pid = 0;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        ours = ends[0];
        theirs = ends[1];

        r = -posix_spawn_file_actions_init(&actions);
        if (r < 0)
                return r;
        if (ret_output)
                r = -posix_spawn_file_actions_adddup2(&actions, theirs, STDOUT_FILENO);
        if (r == 0)
                r = -posix_spawnp(&pid, argv[0], &actions, NULL, argv, environment);
        (void) posix_spawn_file_actions_destroy(&actions);
        if (r < 0)
                return r;

        theirs = fd_close(theirs);
        if (ret_output)
                r = fd_read_all(ours, 4096, ret_output, NULL);
        if (waitpid(pid, &status, 0) < 0)
                return -errno;
        if (r < 0)
                return r;

        *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 255;
        return 0;
}

/* While systemd executes itself anew, as when it is upgraded, it does not answer. What is asked for here can be asked
 * for twice. */
static int systemd_ask(char *const *argv) {
        int status = 0, r;

        for (unsigned tries = 0;; tries++) {
                r = program_run(argv, NULL, &status);
                if (r < 0 || status == 0)
                        return r;
                if (tries >= ASK_TRIES)
                        return -EIO;
                (void) usleep(ASK_PAUSE_USEC);
        }
}

int systemctl_daemon_reload(void) {
        char *const argv[] = { (char *) "systemctl", (char *) "daemon-reload", NULL };

        return systemd_ask(argv);
}

int systemctl_apply_limits(const char *unit, const char *cgroup) {
        char pid[16];
        char *const argv[] = {
                (char *) "busctl",
                (char *) "--quiet",
                (char *) "--timeout=90", /* systemd may have many units to load */
                (char *) "call",
                (char *) "org.freedesktop.systemd1",
                (char *) "/org/freedesktop/systemd1",
                (char *) "org.freedesktop.systemd1.Manager",
                (char *) "AttachProcessesToUnit",
                (char *) "ssau",
                (char *) unit,
                (char *) cgroup,
                (char *) "1",
                pid,
                NULL,
        };

        (void) snprintf(pid, sizeof pid, "%d", (int) getpid());
        return systemd_ask(argv);
}

int systemctl_find_job(const char *unit, char **ret) {
        char *const argv[] = { (char *) "systemctl", (char *) "--no-legend",  (char *) "--no-pager",
                               (char *) "--full",    (char *) "list-jobs",    (char *) "--",
                               (char *) unit,        NULL };
        _cleanup_free_ char *line = NULL;
        int status = 0, r;

        r = program_run(argv, &line, &status);
        if (r < 0)
                return r;
        if (!line || status != 0)
                return -EIO;

        *ret = TAKE_PTR(line);
        return 0;
}

int systemctl_is_booting(bool *ret) {
        char *const argv[] = { (char *) "systemctl", (char *) "is-system-running", NULL };
        _cleanup_free_ char *state = NULL;
        int status = 0, r;

        r = program_run(argv, &state, &status);
        if (r < 0)
                return r;
        if (!state)
                return -EIO;

        *ret = strcmp(state, "initializing\n") == 0 || strcmp(state, "starting\n") == 0;
        return 0;
}
