/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Other programs that a verb needs: a pager, an editor, journalctl, polkit's agent. They are run as the caller, with
 * the caller's environment and without a shell.
 */
#pragma once

#include <sys/types.h>

/* Starts a program with FD as its descriptor TARGET (a negative FD: nothing is passed on); it ends when berthctl dies.
 * ARGV ends with NULL. 0, or a negative errno, also when the program could not be executed. */
int process_start(char *const *argv, int fd, int target, pid_t *ret_pid);

/* Waits for the end: the exit status, or 128 and the number of the signal. */
int process_wait(pid_t pid);

/* Starts and waits, with the terminal for the program: it gets the keyboard's interrupts, we do not. The status as
 * from process_wait(), or a negative errno. */
int process_run(char *const *argv);
