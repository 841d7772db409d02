/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who may call which method: the one table, which authorisation reads and `berth-manager --list-actions` prints. A test
 * compares it with the interface files.
 */
#pragma once

#include <stddef.h>

typedef struct Member {
        const char *interface; /* "Manager" or "Container" */
        const char *name;
        const char *verb;      /* what polkit's rules see; NULL: nobody is asked */
        const char *own;       /* polkit's action for one's own container */
        const char *action;    /* for anybody else's */
} Member;

extern const Member members[];
extern const size_t n_members;

/* The row of a verb, which several members may share; never NULL for a verb in the table. */
const Member *member_of_verb(const char *verb);
