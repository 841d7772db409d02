/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * In place of selinux.c where berth is built without SELinux.
 */
#include <errno.h>

#include "helper/lsm/lsm.h"

static const char *const no_paths[] = { NULL };

static int none_prepare(Failure *failure, const LaunchPlan *plan, char **ret_label) {
        if (!plan->definition->selinux_context)
                return 0;

        return failure_cause(failure, -EOPNOTSUPP, "this berth is built without it");
}

static bool none_holds(const char *label, const char *current) {
        return false;
}

const LsmModule lsm_selinux = {
        .name = "SELinux",
        .prepare = none_prepare,
        .exec_paths = no_paths,
        .current_paths = no_paths,
        .exec_prefix = "",
        .holds = none_holds,
};
