/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether what was made can be a root: the commonest mistake is told, and nothing is guessed. */
#pragma once

#include "unpack/report.h"

/* Refuses a root that consists of one directory in which the real one is. */
int check_root(Report *report, int root);
