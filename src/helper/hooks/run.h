/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Running one hook, and seeing to it that nothing of it stays: it has a cgroup of its own beside launch/ and
 * payload/, which is killed when the hook ends or its time is over, with whatever it has started. When the
 * caller is killed, systemd kills the unit's cgroup and so the hook.
 *
 * It gets the state on standard input, a pipe to the journal for its output, an environment made from
 * nothing, and no other descriptor, but a script the one that its interpreter reads it from.
 */
#pragma once

#include "helper/hooks/inside.h"
#include "helper/hooks/program.h"
#include "helper/hooks/state.h"

typedef struct HookPlace {
        int unit;                 /* the unit's cgroup */
        int mounts;               /* the mount namespace to run in, -EBADF for the caller's */
        const HookInside *inside; /* NULL for a hook with the host's rights */
        pid_t held; /* the unit's main process if the caller holds it: nobody else sees that it is to end; or
                       0 */
} HookPlace;

/* Runs command number INDEX of the facts' definition. CAUSE says what went wrong, as program.h has it. */
int hook_run(const HookFacts *facts,
             HookKind kind,
             size_t index,
             const HookPlace *place,
             char cause[static HOOK_CAUSE_SIZE]);
