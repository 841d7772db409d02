/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The part of a start that touches nothing yet: the definition, the unit, ids, limits, what has to be
 * compiled.
 */
#include "helper/launch/state.h"

#include <errno.h>
#include <string.h>

#include "basic/cleanup.h"
#include "helper/launch/handed.h"
#include "helper/launch/prelude.h"
#include "helper/launch/reaper.h"
#include "helper/launch/subject.h"
#include "helper/ns/block.h"
#include "helper/ns/nested.h"
#include "helper/process/environment.h"
#include "helper/process/rlimits.h"
#include "helper/root/device.h"
#include "helper/root/stage.h"
#include "helper/seccomp/notify.h"
#include "helper/unit/lock.h"
#include "helper/unit/rival.h"

#define UNIT_TRIES 3

/* What comes with a transient start, while this process still has the host's mounts. */
static int launch_take_up(Launch *launch, const char *name) {
        int r;

        r = handed_receive(&launch->failure, &launch->notify, &launch->store, name);
        if (r < 0)
                return r;
        r = handed_load(&launch->failure, &launch->store, name, &launch->definition);
        if (r < 0)
                return r;
        r = descriptors_open(
                        &launch->failure, launch->definition, &launch->store.handed, &launch->descriptors);
        if (r < 0)
                return r;

        launch->plan.descriptors = &launch->descriptors;
        return 0;
}

static int launch_understand(Launch *launch) {
        launch->plan.definition = launch->definition;
        launch->plan.boot = definition_boot(launch->definition);

        return devices_find(&launch->failure, launch->definition, &launch->plan.devices);
}

/* The definition, and a unit that agrees with it. Somebody may edit it between this reading and
 * berth-generator's: then what was written last counts. */
static int launch_agree(Launch *launch, const char *name) {
        Failure *failure = &launch->failure;
        int r = -ESTALE;

        for (unsigned tries = 0; r == -ESTALE && tries < UNIT_TRIES; tries++) {
                launch->definition = definition_free(launch->definition);
                device_nodes_done(&launch->plan.devices);

                r = subject_load(failure, name, &launch->definition);
                if (r < 0)
                        return r;
                r = launch_understand(launch);
                if (r < 0)
                        return r;
                r = prelude_update_unit(failure, launch->definition, &launch->plan.devices);
        }

        return r;
}

int launch_begin(Launch *launch, const char *name) {
        Failure *failure = &launch->failure;
        char rival[UNIT_NAME_SIZE];
        int r;

        r = step_begin(failure, STEP_PLAN, "%s", "");
        if (r < 0)
                return r;
        if (launch->notify.socket < 0)
                return failure_cause(
                                failure, -EPERM,
                                "only systemd runs this, in the container's unit; use "
                                "\"systemctl start container@%s\"",
                                name);
        if (unit_find_rival(launch->plan.kind, name, rival))
                return failure_cause(
                                failure, -EBUSY, "another container of that name is running, as %s; stop it first",
                                rival);

        if (launch->plan.kind == UNIT_TRANSIENT) {
                r = launch_take_up(launch, name);
                if (r < 0)
                        return r;
        }

        r = stage_enter(failure, &launch->stage);
        if (r < 0)
                return r;

        r = step_begin(failure, STEP_CGROUP, "%s", "");
        if (r < 0)
                return r;
        r = cgroup_setup(&launch->cgroup);
        if (r == -ENOTSUP)
                return failure_cause(
                                failure, r,
                                CGROUP_ROOT " is not a cgroup v2 hierarchy; boot the host with "
                                            "systemd.unified_cgroup_hierarchy=yes");
        if (r < 0)
                return r;

        launch->plan.nested = nested();
        /* The unit was made for this run, with all properties. */
        if (launch->plan.kind == UNIT_TRANSIENT)
                return launch_understand(launch);

        r = launch_agree(launch, name);
        if (r < 0)
                return r;
        r = prelude_delay(failure, launch->definition, &launch->notify);
        return r < 0 ? r : launch_hooks_prelude(launch);
}

static int launch_prepare_seccomp(Launch *launch) {
        int r;

        r = seccomp_program_prepare(&launch->failure, &launch->plan, &launch->seccomp);
        if (r < 0)
                return r;

        launch->store.seccomp = TAKE_FD(launch->seccomp.file);
        return launch->seccomp.notifies
                               ? seccomp_notify_connect(
                                                 &launch->failure, launch->definition->seccomp_notify,
                                                 &launch->seccomp_server)
                               : 0;
}

int launch_prepare(Launch *launch) {
        const Definition *definition = launch->definition;
        uint32_t block = 0;
        int failed, r;

        if (definition->user_namespace &&
            id_ranges_need_block(definition->id_ranges, definition->n_id_ranges)) {
                r = step_begin(&launch->failure, STEP_ID_RANGE, "for %s", definition->name);
                if (r < 0)
                        return r;
                r = block_acquire(&launch->store, definition->name, &block);
                if (r == BLOCK_E_NONE && launch->plan.nested)
                        return failure_cause(
                                        &launch->failure, -ENOSPC,
                                        "the container that this is in has no block of 65536 ids left; give it one "
                                        "from outside, or set [Identity] IDMap=0:0:65536 to share its own");
                if (r == BLOCK_E_NONE)
                        return failure_cause(
                                        &launch->failure, -ENOSPC,
                                        "no block of 65536 ids is free in NSS, /etc/subuid, /etc/subgid and "
                                        "the "
                                        "locks of other containers");
                if (r < 0)
                        return failure_cause(
                                        &launch->failure, r,
                                        "the locks in " LOCK_BLOCKS " or what other programs have: %s",
                                        strerror(-r));
        }

        r = step_begin(&launch->failure, STEP_PLAN, "%s", "");
        if (r < 0)
                return r;
        r = launch_plan_set_ids(&launch->plan, block);
        if (r == -ERANGE)
                return failure_cause(
                                &launch->failure, r,
                                "an automatic IDMap= range must lie between 0 and 65535 inside");
        if (r < 0)
                return r;
        r = launch_plan_set_machine_id(&launch->plan);
        if (r < 0)
                return failure_cause(
                                &launch->failure, r, "the host's /etc/machine-id cannot be read: %s",
                                strerror(-r));
        r = environment_add_host(&launch->plan.environment);
        if (r < 0)
                return r;
        if (launch->plan.boot == BOOT_REAPER) {
                r = reaper_open(&launch->reaper);
                if (r < 0)
                        return failure_cause(
                                        &launch->failure, r, "berth's init cannot be read: %s",
                                        strerror(-r));
        }

        r = step_begin(&launch->failure, STEP_LIMITS, "%s", "");
        if (r < 0)
                return r;
        r = rlimits_raise(definition->rlimits, definition->n_rlimits, &failed);
        if (r < 0)
                return failure_cause(
                                &launch->failure, r, "number %d of getrlimit(2): %s", failed, strerror(-r));

        r = launch_prepare_seccomp(launch);
        if (r < 0)
                return r;
        r = lsm_prepare(&launch->failure, &launch->plan, &launch->lsm);
        if (r < 0)
                return r;

        launch->plan.loads_policy = lsm_loads_policy(&launch->lsm, &launch->plan);
        return 0;
}
