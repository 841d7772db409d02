/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way of a container's console to the manager; see CONSOLE_SOCKET in spec/helper-interface.h. */
#pragma once

#include "spec/unit.h"

/* Hands over a duplicate of the master, before the guest can write to its terminal. A start neither waits for somebody
 * who takes it nor fails without: that is told in the journal. */
void console_offer(UnitKind kind, const char *name, int master);
