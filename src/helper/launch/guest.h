/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What kind of guest a root holds, which decides how it is asked to stop. Noted where the stop finds it again without
 * reading the definition, which may have changed by then: in an extended attribute of the unit's launch/ cgroup that
 * only the host's root can write.
 */
#pragma once

#include "helper/launch/plan.h"
#include "helper/seccomp/program.h"
#include "helper/unit/cgroup.h"

#define GUEST_STOP_ATTRIBUTE "user.berth.stop_signal"

/* Beside it, where there are hooks of the container's end: "1", and "2" when those of Stop= are over. */
#define GUEST_HOOKS_ATTRIBUTE "user.berth.hooks"

/* The signal that asks this guest to power off: StopSignal=, or by the kind of its process 1. */
int guest_stop_signal(const LaunchPlan *plan, int root_fd);

int guest_note_hooks(const Cgroup *cgroup, const Definition *definition);

int guest_note_stop_signal(const Cgroup *cgroup, int signal_number);

/* The filter of system calls that it runs with (SECCOMP_ATTRIBUTE): the kernel tells only that there is one.
 */
int guest_note_filter(const Cgroup *cgroup, const SeccompProgram *program);
