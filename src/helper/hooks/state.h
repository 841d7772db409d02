/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a hook is told: the container's state as JSON on its standard input (berth.container(5) has the
 * schema), and the variables that LXC has for it. Nothing of the caller's environment, nor of the
 * definition's Environment=.
 */
#pragma once

#include <sys/types.h>

#include "helper/launch/plan.h"

typedef struct HookFacts {
        const Definition *definition;
        UnitKind kind;
        bool inside;            /* who reads it is the container: it hears nothing of the host */
        const char *root;       /* the root's path on the host; NULL if it came as a descriptor */
        const char *mount;      /* where the hook finds the container's root; NULL when it is not mounted */
        pid_t pid;              /* the container's process 1; 0 when there is none */
        const IdMap *ids;       /* NULL before they are known */
        const char *machine_id; /* the same */
} HookFacts;

/* The JSON in a sealed file in memory that stands at its start. */
int hook_state_open(const HookFacts *facts, HookKind kind, int *ret_fd);

/* The whole environment; freed with environment_done(). */
int hook_environment(const HookFacts *facts, HookKind kind, Environment *ret);
