/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Being in a container oneself: what is not there then, and what is used in its place.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Is there a user namespace above this process's? */
bool nested(void);

/* The ids that this process's user namespace has. */
typedef struct OwnIds {
        char *uid_map, *gid_map; /* NULL: all there are */
} OwnIds;

#define OWN_IDS_ALL ((OwnIds){})

void own_ids_done(OwnIds *ids);

int own_ids_load(OwnIds *ret);

/* Does it have all of these, as users and as groups? */
bool own_ids_have(const OwnIds *ids, uint32_t first, uint32_t count);
