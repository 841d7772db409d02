/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The hooks of a container's end. Those of Stop= are run once: by `stop`, when it has seen the end, with the
 * container's namespaces; or else by `post-stop`, when a container ended by itself. PostStop= follows in any
 * case. A hook that fails is told in the journal, and changes nothing about how the container ended.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "helper/hooks/state.h"

/* Has the launcher noted hooks of Stop= that were not run yet? */
bool stop_hooks_wait(void);

/* Runs them for a container that was asked to stop. FOUND may be NULL. */
void stop_hooks_run(const char *name, const HookNamespaces *found);

/* `berth-helper post-stop NAME` */
int post_stop(const char *name);
