/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a container's first process must not inherit from the launcher: signal dispositions.
 */
#pragma once

/* All signals that systemd may have left otherwise to their default action, none blocked. */
int signals_reset(void);
