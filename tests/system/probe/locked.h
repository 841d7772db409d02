/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tries to lift, from inside, every restriction that a mount has: each flag of each mount in /proc/self/mountinfo, by
 * each system call that could. Prints "attempt=MOUNT WAY RESULT" for all, and "changed=..." for what differs afterwards.
 */
#pragma once

void locked_try_all(void);
