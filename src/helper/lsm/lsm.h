/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Labels of security modules: what a start does for each module that berth was built for (-Dlsm=). Before
 * anything is cloned a module says which label the first program is to have, and provides for what the label
 * names; the payload writes it, to hold from its exec on; the launcher reads what came of it before the
 * program runs its first instruction.
 *
 * A module is a file that defines its LsmModule; NAME-none.c is there in its place when it is not built in.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "helper/launch/failure.h"
#include "helper/launch/plan.h"

typedef struct LsmModule {
        const char *name;

        /* The label, NULL if the module has nothing to do here. The caller frees it. */
        int (*prepare)(Failure *failure, const LaunchPlan *plan, char **ret_label);

        /* Below /proc/PID: what is written for the next exec, and what tells the label; of each the first
         * that is there, since modules that share the older names came before they could be stacked. NULL at
         * the end. */
        const char *const *exec_paths;
        const char *const *current_paths;
        const char *exec_prefix; /* before the label that is written */

        /* Does what CURRENT says include all that the label stands for? */
        bool (*holds)(const char *label, const char *current);

        /* May the container with this label load policy of its own? NULL: the module has no such thing. */
        bool (*loads)(const LaunchPlan *plan, const char *label);
} LsmModule;

extern const LsmModule lsm_apparmor, lsm_selinux;

#define LSM_MODULES_MAX 2

typedef struct Lsm {
        char *labels[LSM_MODULES_MAX]; /* of the first program; NULL: the module changes nothing */
} Lsm;

#define LSM_NULL ((Lsm){})

void lsm_done(Lsm *lsm);

int lsm_prepare(Failure *failure, const LaunchPlan *plan, Lsm *ret);

bool lsm_loads_policy(const Lsm *lsm, const LaunchPlan *plan);

/* In the payload or a child of it, after it changed its ids for the last time: a process may write its own
 * label only, and only through what it opened with the credentials that it has. PROC is the host's /proc. */
int lsm_apply(Failure *failure, const Lsm *lsm, int proc);

/* In the launcher, with the program stopped after its exec. */
int lsm_verify(Failure *failure, const Lsm *lsm, pid_t pid);
