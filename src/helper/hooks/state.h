/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a hook is told: the container's state as JSON on its standard input (berth.container(5) has the
 * schema), and the variables that LXC has for it. Nothing of the caller's environment, nor of the
 * definition's Environment=.
 */
#pragma once

#include <sys/types.h>

#include "helper/launch/plan.h"
#include "helper/root/tree.h"
#include "spec/limits.h"

/* Of a container that has ended: a hook opens them as /proc/PID/fd/N of its parent. */
#define HOOK_NAMESPACES 7
typedef struct HookNamespaces {
        int fds[HOOK_NAMESPACES];
} HookNamespaces;

/* clang-format off */
#define HOOK_NAMESPACES_NULL ((HookNamespaces) { .fds = { [0 ... HOOK_NAMESPACES - 1] = -EBADF } })
/* clang-format on */

typedef struct HookFacts {
        const Definition *definition;
        UnitKind kind;
        bool inside;            /* who reads it is the container: it hears nothing of the host */
        const char *root;       /* the root's path on the host; NULL if it came as a descriptor */
        const char *mount;      /* where the hook finds the container's root; NULL when it is not mounted */
        pid_t pid;              /* the container's process 1; 0 when there is none */
        const IdMap *ids;       /* NULL before they are known */
        const char *machine_id; /* the same */

        /* Of an end; NULL at a start */
        const char *target;                           /* stop, reboot */
        const char *result, *exit_code, *exit_status; /* as systemd tells them: $SERVICE_RESULT and so on */
        const HookNamespaces *namespaces;             /* NULL when they are not there any more */
} HookFacts;

#define HOOK_ROOT_SIZE (sizeof STORE_IMAGES + NAME_MAX_LENGTH + 8)

/* Where the root is on the host, as far as a path says it; else NULL. */
const char *hook_root_path(const Definition *definition, char buffer[static HOOK_ROOT_SIZE]);

/* Opens those that are not the caller's own. */
int hook_namespaces_open(pid_t pid, HookNamespaces *ret);
void hook_namespaces_done(HookNamespaces *found);

/* The JSON in a sealed file in memory that stands at its start. */
int hook_state_open(const HookFacts *facts, HookKind kind, int *ret_fd);

/* The whole environment; freed with environment_done(). */
int hook_environment(const HookFacts *facts, HookKind kind, Environment *ret);
