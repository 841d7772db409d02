/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a hook prints: each line goes to the journal, with HOOK= and as the container's, and the last one is
 * kept for the sentence about a hook that failed. A hook's text is anybody's: it cannot add a field or
 * choose a priority.
 */
#pragma once

#include <stddef.h>

#include "spec/definition.h"
#include "spec/limits.h"
#include "spec/unit.h"

#define HOOK_LAST_SIZE 256

typedef struct HookOutput {
        int pipe;    /* the end that is read */
        int journal; /* -EBADF without one: then it is standard error */
        HookKind hook;
        UnitKind kind;
        const char *container;
        char line[HOOK_LINE_MAX];
        size_t n;
        char last[HOOK_LAST_SIZE]; /* the last line that says something, as it was printed */
} HookOutput;

/* *RET_FD is the end that the hook gets. */
int hook_output_begin(HookOutput *output, HookKind hook, UnitKind kind, const char *container, int *ret_fd);

/* Passes on what is there, without waiting: 0 when there may come more, 1 at the end. */
int hook_output_read(HookOutput *output);

/* Passes on the rest. */
void hook_output_done(HookOutput *output);
