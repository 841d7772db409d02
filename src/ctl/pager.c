/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See pager.h. A user who runs berthctl with the rights of somebody else (sudo, su) could leave a pager for a shell
 * with those rights: less is then told not to allow that, and no other pager is taken.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/parse.h"
#include "basic/quote.h"
#include "basic/string.h"
#include "basic/strv.h"
#include "ctl/pager.h"
#include "ctl/process.h"
#include "ctl/settings.h"
#include "ctl/terminal.h"

static pid_t pager;

/* Whether the pager has to be kept from running commands: $SYSTEMD_PAGERSECURE decides, or who asked for it. */
static bool must_be_secure(void) {
        const char *variable = getenv("SYSTEMD_PAGERSECURE");
        bool secure;

        if (variable)
                return parse_boolean(variable, &secure) < 0 || secure;

        return getenv("SUDO_UID") || getenv("PKEXEC_UID") || getuid() != geteuid();
}

static void set_environment(bool secure) {
        const char *less = getenv("SYSTEMD_LESS"), *charset = getenv("SYSTEMD_LESSCHARSET");

        (void) setenv("LESS", less ?: "FRSXMK", 1);
        if (charset || terminal_has_utf8())
                (void) setenv("LESSCHARSET", charset ?: "utf-8", 1);
        if (secure)
                (void) setenv("LESSSECURE", "1", 1);
}

static int try_pager(const char *line, int fd) {
        _cleanup_(strv_freep) char **words = NULL;
        int r;

        r = words_split(line, &words);
        if (r != 0 || !words)
                return -EINVAL;

        return process_start(words, fd, STDIN_FILENO, &pager);
}

void pager_open(void) {
        const char *wanted = getenv("SYSTEMD_PAGER") ?: getenv("PAGER");
        _cleanup_close_ int reading = -EBADF, writing = -EBADF;
        bool secure = must_be_secure();
        int ends[2];

        if (pager > 0 || settings.no_pager || settings.json || !terminal_is_stdout())
                return;
        if (wanted && (streq(wanted, "") || streq(wanted, "cat")))
                return;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return;
        reading = ends[0];
        writing = ends[1];

        terminal_remember_stdout();
        set_environment(secure);
        if ((secure || !wanted || try_pager(wanted, reading) < 0) && try_pager("less", reading) < 0 &&
            (secure || try_pager("more", reading) < 0))
                return;

        (void) fflush(stdout);
        (void) dup2(writing, STDOUT_FILENO);
}

void pager_close(void) {
        if (pager <= 0)
                return;

        (void) fflush(stdout);
        (void) close(STDOUT_FILENO);
        (void) process_wait(pager);
        pager = 0;
}
