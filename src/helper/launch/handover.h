/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handing the unit over to the guest: systemd learns its main process before that process can end, the descriptors that
 * must outlive the launcher, and when it is ready. Nothing of berth stays behind.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "basic/notify.h"
#include "helper/launch/failure.h"
#include "helper/launch/plan.h"
#include "helper/launch/store.h"

#define HANDOVER_TIMEOUT_MSEC (60 * 1000)

/* Names the payload as the unit's main process. *ret_barrier ends when systemd knows. */
int handover_main_process(const Notify *notify, pid_t pid, int *ret_barrier);

/* Lets the payload execute and sees it do so, as its tracer: a command that ends at once must not do so before systemd
 * was told that it was started. Returns 0 with the process stopped at its first instruction; -ECHILD when it ended. */
int handover_watch(pid_t pid);
int handover_wait_exec(pid_t pid);
int handover_resume(pid_t pid);

/* Has one that is stopped got the signal of the unit's end, from outside? It hears of it only when it goes on. */
bool handover_is_told_to_end(pid_t pid);

/* For one that is stopped and is going to be killed: its end is not held any more. */
int handover_let_end(pid_t pid);

/* How this program's file stands in /proc/PID/maps. */
#define IDENTITY_SIZE 64
int handover_identity(char ret[static IDENTITY_SIZE]);

/* With the process stopped after its exec: is the launcher's own program part of what it runs? 1 if so. A guest's file
 * can ask for /proc/self/exe as its interpreter, and the kernel then takes it, from outside of the container. */
int handover_is_tainted(pid_t pid, const char *identity);

/* Waits for the guest's own READY=1, from its process 1 and nobody else; what it says of its status is passed on.
 * -ECHILD when it ends before. */
int handover_wait_guest(const Notify *notify, int socket, pid_t pid, int pidfd);

/* From here on the kernel drops what the guest sends, and tells it that all is well: nobody reads it, and a guest that
 * cannot send would complain at each of its daemon-reloads. */
int handover_silence(int socket);

/* Tells systemd the rest. Until it has heard (notify_barrier_begin()) this process must not end, since systemd could
 * not tell any more who sent it. */
int handover_ready(const Notify *notify, FdStore *store);
