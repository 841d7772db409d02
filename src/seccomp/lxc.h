/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Profiles of LXC, of version 2 (lxc.seccomp.profile), as a profile of berth. LXC has ignored which
 * architecture a section is for since 2020; here it means what it says.
 */
#pragma once

#include <stddef.h>

#include "spec/problems.h"

/* 0 and a text that the caller frees; -EBADMSG when something is not understood, which the problems tell;
 * -ENOMEM. */
int lxc_import(const char *label, const char *text, size_t size, char **ret, Problems *problems);
