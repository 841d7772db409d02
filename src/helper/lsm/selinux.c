/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SELinux: the context that SELinuxContext= says, with a range of the container's own if it names none, so
 * that containers of one type are kept from each other's files and processes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/sha256.h"
#include "basic/string.h"
#include "helper/lsm/lsm.h"
#include "helper/lsm/selinux-range.h"

#define KERNEL "/sys/fs/selinux"

static const char *const exec_paths[] = { "attr/exec", NULL };
static const char *const current_paths[] = { "attr/current", NULL };

static int selinux_prepare(Failure *failure, const LaunchPlan *plan, char **ret_label) {
        const char *context = plan->definition->selinux_context;
        _cleanup_free_ char *label = NULL;
        int r;

        if (!context)
                return 0;
        if (access(KERNEL "/enforce", F_OK) < 0)
                return failure_cause(
                                failure, -EOPNOTSUPP,
                                "the host's kernel has no SELinux, or it is switched off");

        label = selinux_complete(context, plan->definition->name, plan->has_root ? plan->owner_uid : 0);
        if (!label)
                return -ENOMEM;
        r = file_write(AT_FDCWD, KERNEL "/context", label);
        if (r == -EINVAL)
                return failure_cause(failure, r, "the host's policy has no context %s", label);
        if (r < 0)
                return r;

        *ret_label = TAKE_PTR(label);
        return 0;
}

static bool selinux_holds(const char *label, const char *current) {
        return streq(label, current);
}

const LsmModule lsm_selinux = {
        .name = "SELinux",
        .prepare = selinux_prepare,
        .exec_paths = exec_paths,
        .current_paths = current_paths,
        .exec_prefix = "",
        .holds = selinux_holds,
};
