/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* berth's own init for Boot=reaper, as a sealed copy in memory that can be executed and nothing else. */
#pragma once

int reaper_open(int *ret_fd);
