/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether two definitions say the same, value by value, whatever files they came from. For tests that print
 * a definition and read it again.
 */
#pragma once

#include "spec/definition.h"

/* NULL if they are equal, else the name of the first field that differs. */
const char *definition_difference(const Definition *a, const Definition *b);
