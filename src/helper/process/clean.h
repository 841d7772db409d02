/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a container's first process must not inherit from the launcher: signal dispositions, capabilities beyond the
 * default set, the session keyring.
 */
#pragma once

/* All signals that systemd may have left otherwise to their default action, none blocked. */
int signals_reset(void);

/* Lowers the bounding set to the default set, and empties the inheritable and ambient sets. CAP_NET_ADMIN stays only
 * if the network namespace is the container's own. */
int capabilities_drop(int private_network);

/* Joins a session keyring of this process's own. A kernel without keyrings is fine; anything else is an error, since
 * the container would run on the host's keyring. */
int keyring_join(void);
