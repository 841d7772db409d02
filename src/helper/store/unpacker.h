/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs `berth-unpack` (spec/unpack.h): new namespaces of every kind, the ids of the foreign range, six descriptors, no
 * environment. It dies with the calling process.
 */
#pragma once

#include "helper/store/place.h"

typedef struct Unpacking {
        const char *source; /* UNPACK_ARCHIVE and the like */
        int input;          /* an archive, or -EBADF */
        int tree;           /* a detached mount, or -EBADF */
        int target;         /* the directory to fill */
        int progress;       /* a pipe, or -EBADF */
} Unpacking;

/* Fills the target. RET_NOTES is a sentence a line, "" for none; the caller frees it. */
int unpacker_run(const Unpacking *unpacking, char **ret_notes, StoreError *error);

/* Takes an answer apart, which may say anything. Pure. */
int unpacker_read_answer(char *answer, char **ret_notes, StoreError *error);
