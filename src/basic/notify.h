/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The service side of systemd's notification protocol (sd_notify(3), "Notes": the protocol is stable and meant to be
 * implemented by programs that do not link libsystemd). The launcher uses this one and not libsystemd, because
 * loading that library and what it pulls in costs as much as half a start.
 */
#pragma once

#include <stddef.h>

typedef struct Notify {
        int socket; /* connected to $NOTIFY_SOCKET, or -EBADF: then all calls do nothing and succeed */
} Notify;

#define NOTIFY_NULL ((Notify) { .socket = -EBADF })
#define NOTIFY_FDS_MAX 16

/* Connects to $NOTIFY_SOCKET and removes it from the environment. Without one, notifications go nowhere. */
int notify_init(Notify *notify);
void notify_done(Notify *notify);

/* Sends newline-separated assignments. */
int notify_send(const Notify *notify, const char *message);

/* Writes TEXT as the value of an assignment, cut where it gets too long: systemd takes a backslash for the beginning of
 * an escape and drops it, and all of a message that ends in one. Returns the length. */
size_t notify_quote(const char *text, char *buffer, size_t size);

/* The same with descriptors, at most NOTIFY_FDS_MAX. */
int notify_send_fds(const Notify *notify, const char *message, const int *fds, size_t n_fds);

/* Asks systemd to close a pipe when it has handled all that was sent before (BARRIER=1), and returns the end to wait
 * on; -EBADF without a socket. */
int notify_barrier_begin(const Notify *notify, int *ret_fd);

/* Waits for a barrier, takes its descriptor. -ETIMEDOUT when systemd does not answer in time. */
int notify_barrier_wait(int fd_take, int timeout_msec);
