/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The launch plan: what one start does, derived from the definition and from what the host and the root look like at
 * this moment. Filled step by step by launch.c, read by everything below it; nothing flows back into the definition.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "helper/ns/idmap.h"
#include "spec/devices.h"
#include "spec/unit.h"

/* NAME=value strings, NULL at the end; see process/environment.h */
typedef struct Environment {
        char **variables;
        size_t n;
} Environment;

#define ENVIRONMENT_NULL ((Environment) {})

typedef struct LaunchPlan {
        const Definition *definition;
        UnitKind kind;
        const struct Descriptors *descriptors; /* what the definition calls fd:NAME (root/descriptor.h); NULL
                                                  if it has none */
        BootMode boot;
        bool nested; /* this host is itself a container with a user namespace */
        DeviceNodes devices; /* of [Device] */
        bool loads_policy;   /* into a namespace of its own, of a security module */

        /* Ids: what files that berth makes for the container are owned by, as the host counts. When nobody inside
         * has id 0 they stay the host's root's, which shows as nobody. */
        IdMap ids;
        bool has_root;
        uid_t owner_uid;
        gid_t owner_gid;
        gid_t tty_gid;  /* the host's id of group 5 inside, or -1 */

        /* What runs inside */
        Environment environment; /* the part of it that the host knows */
        char machine_id[33];
} LaunchPlan;

#define LAUNCH_PLAN_NULL ((LaunchPlan) { .owner_uid = (uid_t) -1, .owner_gid = (gid_t) -1, .tty_gid = (gid_t) -1 })

void launch_plan_done(LaunchPlan *plan);

/* Is this namespace the container's own? */
bool launch_plan_private(const LaunchPlan *plan, NamespaceFlag flag);

/* What clone3(2) makes for the payload. */
uint64_t launch_plan_clone_flags(const LaunchPlan *plan);

/* Resolves the ids against a block (which may be 0 if none is needed). -ERANGE as idmap_resolve(). */
int launch_plan_set_ids(LaunchPlan *plan, uint32_t block);

/* The machine id: the definition's, or one that is the same for this name on this host for ever and tells nothing of
 * the host's own. */
int launch_plan_set_machine_id(LaunchPlan *plan);
