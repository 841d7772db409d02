/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a container's first process must not inherit from the launcher: signal dispositions and the session keyring.
 */
#pragma once

/* All signals that systemd may have left otherwise to their default action, none blocked. */
int signals_reset(void);

/* Joins a session keyring of this process's own. A kernel without keyrings is fine; anything else is an error, since
 * the container would run on the host's keyring. */
int keyring_join(void);
