/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * polkit's agent for terminals, pkttyagent(1), so that a call that needs a password can ask for it here. As systemctl
 * does it: not as root, not without a terminal, not with --no-ask-password, not for another host.
 */
#pragma once

#include <stdbool.h>

/* Whether calls may wait for somebody who types a password. */
bool agent_is_wanted(void);

/* Starts the agent once and waits until it is ready. That it is not installed is no error: there may be another. */
void agent_open(void);

void agent_close(void);
