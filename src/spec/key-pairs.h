/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of NAME=VALUE in a definition, as Environment= and Sysctl= have them. */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "spec/definition.h"

/* Replaces the value of an earlier pair of the same name, or adds one; both strings are the list's from then on, also
 * when this fails. 0 or -ENOMEM. */
int pairs_set_take(KeyValue **pairs, size_t *n, char *key, char *value);

void pairs_clear(KeyValue **pairs, size_t *n);

/* One line a pair, so that it can be read again. 0, -ENOMEM or -EIO. */
int pairs_print(const KeyValue *pairs, size_t n, const char *name, FILE *stream);
