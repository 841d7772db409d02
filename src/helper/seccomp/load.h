/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Puts the filter on the calling process. The kernel wants either CAP_SYS_ADMIN in the process's user
 * namespace or no_new_privs, which would take sudo and its like from the guest. So the capability is kept
 * over a change of user (process/capabilities.h) until the exec.
 */
#pragma once

#include "helper/seccomp/program.h"

/* The last that the payload does before its exec. *RET_LISTENER is where notifications come from, -EBADF if
 * nothing asks for any. */
int seccomp_load(const SeccompProgram *program, int *ret_listener);
