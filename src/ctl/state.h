/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A container's state as it is shown: colour and age.
 */
#pragma once

#include "client/include/berth.h"
#include "ctl/format.h"
#include "ctl/terminal.h"

Color state_color(const char *state);

/* How long it has been up; NULL if it is not. */
const char *state_uptime(const berth_status *status, char buffer[static FORMAT_SIZE]);
