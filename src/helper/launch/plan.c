/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/launch/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/siphash.h"
#include "helper/process/environment.h"

#define TTY_GID 5 /* in Debian, Fedora, Arch, Alpine and what descends from them */

void launch_plan_done(LaunchPlan *plan) {
        environment_done(&plan->environment);
        device_nodes_done(&plan->devices);
        *plan = LAUNCH_PLAN_NULL;
}

bool launch_plan_private(const LaunchPlan *plan, NamespaceFlag flag) {
        return plan->definition->namespaces & flag;
}

uint64_t launch_plan_clone_flags(const LaunchPlan *plan) {
        static const struct {
                NamespaceFlag flag;
                uint64_t clone_flag;
        } map[] = {
                /* The cgroup namespace follows with unshare(2): a clone's would be rooted in our own cgroup. */
                { NAMESPACE_UTS, CLONE_NEWUTS },
                { NAMESPACE_IPC, CLONE_NEWIPC },
                { NAMESPACE_NET, CLONE_NEWNET },
                { NAMESPACE_TIME, CLONE_NEWTIME },
        };
        uint64_t flags = CLONE_PARENT | CLONE_NEWPID | CLONE_INTO_CGROUP | CLONE_PIDFD;

        if (plan->definition->user_namespace)
                flags |= CLONE_NEWUSER;
        for (size_t i = 0; i < ELEMENTSOF(map); i++)
                if (launch_plan_private(plan, map[i].flag))
                        flags |= map[i].clone_flag;

        return flags;
}

int launch_plan_set_ids(LaunchPlan *plan, uint32_t block) {
        const Definition *definition = plan->definition;
        uint32_t id;
        int r;

        if (!definition->user_namespace) {
                plan->has_root = true;
                plan->owner_uid = 0;
                plan->owner_gid = 0;
                plan->tty_gid = TTY_GID;
                return 0;
        }

        r = idmap_resolve(&plan->ids, definition->id_ranges, definition->n_id_ranges, block);
        if (r < 0)
                return r;

        plan->has_root = idmap_to_host(&plan->ids, ID_UID, 0, &id);
        plan->owner_uid = plan->has_root ? id : 0;
        plan->owner_gid = idmap_to_host(&plan->ids, ID_GID, 0, &id) ? id : 0;
        if (idmap_to_host(&plan->ids, ID_GID, TTY_GID, &id))
                plan->tty_gid = id;

        return 0;
}

int launch_plan_set_machine_id(LaunchPlan *plan) {
        _cleanup_free_ char *host = NULL;
        uint8_t key[16] = {};
        uint64_t high, low;
        char text[128];
        int r;

        if (plan->definition->machine_id) {
                (void) snprintf(plan->machine_id, sizeof plan->machine_id, "%s", plan->definition->machine_id);
                return 0;
        }

        r = file_read(AT_FDCWD, "/etc/machine-id", 4096, &host, NULL);
        if (r < 0)
                return r;
        if (strlen(host) < 2 * sizeof key)
                return -EUCLEAN;
        for (size_t i = 0; i < sizeof key; i++)
                if (sscanf(host + 2 * i, "%2hhx", &key[i]) != 1)
                        return -EUCLEAN;

        (void) snprintf(text, sizeof text, "0%s", plan->definition->name);
        high = siphash24(text, strlen(text), key);
        text[0] = '1';
        low = siphash24(text, strlen(text), key);

        /* The form of a random UUID, which is what programs expect in a machine id. */
        high = (high & ~UINT64_C(0xf000)) | UINT64_C(0x4000);
        low = (low & ~(UINT64_C(3) << 62)) | (UINT64_C(2) << 62);
        (void) snprintf(plan->machine_id, sizeof plan->machine_id, "%016llx%016llx", (unsigned long long) high,
                        (unsigned long long) low);
        return 0;
}
