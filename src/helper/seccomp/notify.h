/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way of the listener, from which notifications about system calls come, to who answers them: the
 * payload gets it as it loads its filter, gives it to the launcher, and the launcher to the server at
 * SeccompNotify=, which has to say that it has it (berth.seccomp(5), "NOTIFICATIONS"). berth keeps no copy.
 */
#pragma once

#include <sys/types.h>

#include "helper/launch/failure.h"

/* Connects to the server. */
int seccomp_notify_connect(Failure *failure, const char *path, int *ret_server);

/* In the payload: one message with the listener, which is closed. */
int seccomp_notify_send(int launcher, int listener_take);

/* In the launcher. -ECHILD when the payload sent no listener, because it failed: what it said is still in
 * the socket. */
int seccomp_notify_pass(Failure *failure, int payload, const char *container, pid_t pid, int server);
