/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The trust rule; see policy.h. Which keys it concerns is said by the trust column of the key table; what
 * each kind of trust allows is said here, over all of them, so that a new kind cannot be forgotten. Behind
 * that stands a second look at the values themselves, which holds even if a value came about without a key.
 */
#include <errno.h>
#include <stdlib.h>

#include "basic/parse.h"
#include "basic/string.h"
#include "basic/weaken.h"
#include "spec/key.h"
#include "spec/limits.h"
#include "spec/lsm.h"
#include "spec/origin.h"
#include "spec/policy.h"
#include "spec/seccomp.h"

#define WEIGHT_DEFAULT 100

static const char *property_value(const Definition *definition, const char *name) {
        for (size_t i = 0; i < definition->n_properties; i++)
                if (streq(definition->properties[i].name, name))
                        return definition->properties[i].value;

        return NULL;
}

/* A number of at most MAX; what is no number is not. */
static bool number_is_at_most(const char *value, uint64_t max) {
        uint64_t number;

        return value && parse_u64(value, &number) >= 0 && number <= max;
}

/* Is something of the host's named by its path? */
static bool definition_names_paths(const Definition *definition) {
        if (definition->root_path && !definition_descriptor(definition->root_path))
                return true;
        for (size_t i = 0; i < definition->n_mounts; i++)
                if (definition->mounts[i].source && !definition_descriptor(definition->mounts[i].source))
                        return true;

        return false;
}

static bool seccomp_is_default(const Definition *definition) {
        return streq_null(definition_seccomp(definition), SECCOMP_DEFAULT);
}

static bool capabilities_are_default(const Definition *definition) {
        return !(definition_capabilities(definition) & ~definition_default_capabilities(definition));
}

static bool apparmor_is_default(const Definition *definition) {
        return !definition->apparmor || streq(definition->apparmor, APPARMOR_GENERATED);
}

/* What an untrusted definition may not say, and says with this key, as the beginning of a sentence; NULL if
 * there is no objection. The key has been assigned to. */
static const char *key_objection(const Definition *definition, const Key *key, size_t entry) {
        const char *value;

        switch (key->trust) {
        case TRUST_ANYONE:
                return NULL;
        case TRUST_ROOT:
                return "may be set";
        case TRUST_USER_NAMESPACE:
                return definition->user_namespace ? NULL : "may be no";
        case TRUST_DESCRIPTOR:
                value = entry == ORIGIN_NO_ENTRY ? definition->root_path : definition->mounts[entry].source;
                return !value || definition_descriptor(value) ?
                                NULL :
                               "may be a path";
        case TRUST_ID_OUTSIDE:
                for (size_t i = 0; i < definition->n_id_ranges; i++)
                        if (definition->id_ranges[i].outside != ID_OUTSIDE_AUTO)
                                return "may say which ids are taken outside (anybody may write auto)";
                return NULL;
        case TRUST_WEIGHT:
                value = property_value(definition, key->name);
                return !value || streq(value, "idle") || number_is_at_most(value, WEIGHT_DEFAULT) ?
                                NULL :
                                "may be above 100, the default,";
        case TRUST_TASKS:
                value = property_value(definition, key->name);
                return !value || number_is_at_most(value, TASKS_MAX_DEFAULT) ?
                                NULL :
                                "may be other than a number up to 16384, the default,";
        case TRUST_SECCOMP:
                return seccomp_is_default(definition) ? NULL : "may be other than default,";
        case TRUST_KEYRING:
                return definition->keyring == KEYRING_PRIVATE ? NULL : "may be inherit";
        case TRUST_CAPABILITIES:
                return capabilities_are_default(definition) ?
                                NULL :
                                "may have capabilities besides the default ones";
        case TRUST_APPARMOR:
                return apparmor_is_default(definition) ? NULL : "may be other than generated,";
        case _KEY_TRUST_N:
                break;
        }

        return "may be set";
}

static int refuse(const Definition *definition, const Key *key, const Origin *origin, const char *objection,
                  Problems *problems) {
        int r;

        r = problems_add(problems, origin ? origin->file : NULL, origin ? origin->line : 0,
                         key ? key->name : NULL,
                         "%s only in a definition that root alone can write, and this is none: %s. Root "
                         "would have to put it into a file below /etc/berth/containers that nobody else can "
                         "write",
                         objection, definition->untrusted_reason ?: "it comes from elsewhere");

        return r < 0 ? r : POLICY_E_FORBIDDEN;
}

/* The values that give away privilege, whatever the keys say. */
static const char *value_objection(const Definition *definition) {
        if (!definition->user_namespace)
                return "a container may be without a user namespace";
        if (definition->namespaces_shared || (NAMESPACES_DEFAULT & ~definition->namespaces))
                return "a container may share a namespace of the host";
        if (definition->root_image || definition_names_paths(definition))
                return "the root or a mount may be a path of the host";
        if (!seccomp_is_default(definition) || definition->seccomp_rules || definition->nesting)
                return "the filter of system calls may be another";
        if (!capabilities_are_default(definition))
                return "a container may have capabilities besides the default ones";
        if (definition->n_devices > 0)
                return "devices of the host may be named";
        for (HookKind kind = 0; kind < _HOOK_N; kind++)
                if (kind != HOOK_START && definition->hooks[kind].n > 0)
                        return "a program of the host may be run";
        if (definition->unmask_paths)
                return "what is hidden in /proc and /sys may be shown";
        if (definition->keyring != KEYRING_PRIVATE)
                return "a container may use its unit's keyring";
        if (!apparmor_is_default(definition) || definition->apparmor_rules ||
            definition->apparmor_allow_incomplete || definition->selinux_context)
                return "the profile of AppArmor or the context of SELinux may be another";
        for (size_t i = 0; i < definition->n_id_ranges; i++)
                if (definition->id_ranges[i].outside != ID_OUTSIDE_AUTO)
                        return "ids of the host may be chosen";
        for (size_t i = 0; i < definition->n_mounts; i++)
                if (!definition->mounts[i].source && definition->mounts[i].type != MOUNT_TMPFS)
                        return "a path of the host may be mounted";

        return NULL;
}

int policy_check(const Definition *definition, Problems *problems) {
        const char *objection;
        int r, result = 0;

        if (definition->trusted || weakened(WEAKEN_POLICY))
                return 0;

        for (size_t i = 0; i < definition->n_origins; i++) {
                const KeyOrigin *origin = definition->origins + i;

                objection = key_objection(definition, origin->key, origin->entry);
                if (!objection)
                        continue;
                r = refuse(definition, origin->key, &origin->origin, objection, problems);
                if (r < 0)
                        return r;
                result = r;
        }
        if (result != 0)
                return result;

        objection = value_objection(definition);

        return objection ? refuse(definition, NULL, NULL, objection, problems) : 0;
}
