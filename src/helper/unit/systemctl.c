/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/unit/systemctl.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"

/* Runs systemctl and waits; *ret_output is what it printed, if it is wanted. */
static int systemctl_run(const char *verb, char **ret_output, int *ret_status) {
        char *argv[] = { (char *) "systemctl", (char *) verb, NULL };
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
                r = -posix_spawnp(&pid, "systemctl", &actions, NULL, argv, environment);
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

int systemctl_daemon_reload(void) {
        int status = 0, r;

        r = systemctl_run("daemon-reload", NULL, &status);
        if (r < 0)
                return r;

        return status == 0 ? 0 : -EIO;
}

int systemctl_is_booting(bool *ret) {
        _cleanup_free_ char *state = NULL;
        int status = 0, r;

        r = systemctl_run("is-system-running", &state, &status);
        if (r < 0)
                return r;
        if (!state)
                return -EIO;

        *ret = strcmp(state, "initializing\n") == 0 || strcmp(state, "starting\n") == 0;
        return 0;
}
