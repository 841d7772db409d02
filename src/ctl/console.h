/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * This terminal as the console of a container; what the verb console does, for others.
 */
#pragma once

#include "ctl/relay.h"

/* Connects standard input and output to the socket CONSOLE until it ends or the user leaves; RET_END says which. An
 * ExitStatus. */
int console_attach(const char *name, int console, RelayEnd *ret_end);
