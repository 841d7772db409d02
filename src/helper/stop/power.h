/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Switching a container off: reboot(2) in a pid namespace ends its process 1 and all others, and the process 1's parent
 * sees it end by SIGINT, as after a poweroff from inside (reboot(2), "Behavior inside PID namespaces"). For guests that
 * cannot be asked. Unlike SIGKILL it is told apart from a crash.
 */
#pragma once

/* -EPERM if the process is not in a pid namespace of its own: this would be the host's power switch. */
int power_off(int pidfd);
