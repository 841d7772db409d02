/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an earlier helper that was killed left in the store. */
#pragma once

#include <systemd/sd-event.h>

/* Puts it away, before the first request, and has a child delete it. A store that cannot be put in order is told in the
 * journal: operations on it will fail, and the others need not. */
int sweep_begin(sd_event *event);
