/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See agent.h. The agent tells that it is ready by closing the descriptor that it is given.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "ctl/agent.h"
#include "ctl/process.h"
#include "ctl/settings.h"
#include "ctl/terminal.h"

#define READY_FD 3
/* An agent that is not ready by then is not waited for. It may have to wait for polkit itself to start. */
#define READY_MSEC 30000

static pid_t agent;

bool agent_is_wanted(void) {
        return !settings.no_ask_password;
}

void agent_open(void) {
        char path[] = "pkttyagent", notify[] = "--notify-fd", fd[] = "3", fallback[] = "--fallback";
        char *argv[] = { path, notify, fd, fallback, NULL };
        _cleanup_close_ int reading = -EBADF, writing = -EBADF;
        struct pollfd ready = { .events = POLLHUP };
        int ends[2];

        if (agent > 0 || !agent_is_wanted() || settings.host || geteuid() == 0 || !terminal_can_ask())
                return;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return;
        reading = ends[0];
        writing = ends[1];
        if (process_start(argv, writing, READY_FD, &agent) < 0)
                return;

        writing = fd_close(writing);
        ready.fd = reading;
        (void) poll(&ready, 1, READY_MSEC);
}

void agent_close(void) {
        if (agent <= 0)
                return;

        (void) kill(agent, SIGTERM);
        (void) kill(agent, SIGCONT);
        (void) process_wait(agent);
        agent = 0;
}
