/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What verbs that read definitions share: telling problems, and the exit status that a failure to load
 *
 * means.
 */
#pragma once

#include "spec/load.h"

/* Prints what is wrong and returns the exit status for R, the result of loading a definition. */
int report_problems(int r, const Problems *problems);
