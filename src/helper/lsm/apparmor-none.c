/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * In place of apparmor.c where berth is built without AppArmor.
 */
#include <errno.h>

#include "basic/string.h"
#include "helper/lsm/lsm.h"
#include "spec/lsm.h"

static const char *const no_paths[] = { NULL };

static int none_prepare(Failure *failure, const LaunchPlan *plan, char **ret_label) {
        const char *name = plan->definition->apparmor ?: APPARMOR_GENERATED;

        if (plan->definition->apparmor_allow_incomplete || streq(name, APPARMOR_UNCHANGED) ||
            (streq(name, APPARMOR_GENERATED) && !plan->definition->apparmor_rules))
                return 0;

        return failure_cause(failure, -EOPNOTSUPP, "this berth is built without it");
}

static bool none_holds(const char *label, const char *current) {
        return false;
}

const LsmModule lsm_apparmor = {
        .name = "AppArmor",
        .prepare = none_prepare,
        .exec_paths = no_paths,
        .current_paths = no_paths,
        .exec_prefix = "",
        .holds = none_holds,
};
