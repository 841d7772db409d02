/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hooks with the container's rights, in its namespaces: children of the launcher that join it, with the
 * capabilities that the container's root would have, also where nobody inside has id 0. A program of the
 * container's own is confined as its first program is.
 */
#pragma once

#include "helper/launch/plan.h"
#include "helper/lsm/lsm.h"
#include "helper/seccomp/program.h"

typedef struct HookInside {
        const LaunchPlan *plan;
        int pidfd;                     /* the container's process 1 */
        bool guest;                    /* the program is one of the container's own */
        const SeccompProgram *seccomp; /* for a program of its own, */
        const Lsm *lsm;                /* as are the labels */
} HookInside;

/* In the caller: its next child is born in the container's process namespace. */
int hook_inside_begin(const HookInside *inside);

/* In the child: joins the rest, and becomes root there, or who is there in its place. */
int hook_inside_join(const HookInside *inside);

/* In the child, with its last descriptors, for a program of the container's own. Does not return but with
 * the error. */
int hook_inside_execute(const HookInside *inside, char *const *argv, char **environment);
