/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory of a definition for where its values come from: one entry for each assignment that still
 * counts. Private to src/spec; others ask definition_origin().
 */
#pragma once

#include "spec/key.h"

#define ORIGIN_NO_ENTRY SIZE_MAX

typedef struct KeyOrigin {
        const Key *key;
        size_t entry; /* index of the section among those of its name, ORIGIN_NO_ENTRY for one that comes once */
        Origin origin;
} KeyOrigin;

/* Notes an assignment; unless the key is a list, earlier ones are forgotten. 0 or -ENOMEM. */
int origins_add(Definition *definition, const Key *key, size_t entry, Origin origin);

/* Forgets the key's assignments: it has its default again. */
void origins_remove(Definition *definition, const Key *key, size_t entry);

/* The last assignment, NULL if there is none. */
const Origin *origins_find(const Definition *definition, const Key *key, size_t entry);
