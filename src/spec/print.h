/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A definition as text again: merged, each value in its plainest spelling, with a comment that says where it
 * was set. The text is a definition file that means the same.
 */
#pragma once

#include <stdio.h>

#include "spec/definition.h"

/* 0, -ENOMEM or -EIO. */
int definition_print(const Definition *definition, FILE *stream);
