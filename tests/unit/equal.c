/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Comparing definitions; see equal.h. Lists are compared in order, but for resource properties: these are
 * printed grouped by name.
 */
#include <string.h>

#include "basic/string.h"
#include "basic/strv.h"
#include "equal.h"

static bool key_values_equal(const KeyValue *a, size_t n, const KeyValue *b, size_t m) {
        if (n != m)
                return false;
        for (size_t i = 0; i < n; i++)
                if (!streq(a[i].key, b[i].key) || !streq(a[i].value, b[i].value))
                        return false;

        return true;
}

static bool mounts_equal(const Definition *a, const Definition *b) {
        if (a->n_mounts != b->n_mounts)
                return false;
        for (size_t i = 0; i < a->n_mounts; i++) {
                const MountSpec *m = a->mounts + i, *n = b->mounts + i;

                if (m->type != n->type || !streq_null(m->source, n->source) ||
                    !streq_null(m->target, n->target) || m->flags != n->flags ||
                    m->read_only != n->read_only || m->recursive != n->recursive ||
                    m->optional != n->optional || m->create != n->create || m->idmap != n->idmap ||
                    m->size != n->size || m->mode != n->mode)
                        return false;
        }

        return true;
}

static bool devices_equal(const Definition *a, const Definition *b) {
        if (a->n_devices != b->n_devices)
                return false;
        for (size_t i = 0; i < a->n_devices; i++) {
                const DeviceSpec *m = a->devices + i, *n = b->devices + i;

                if (!streq_null(m->path, n->path) || m->access != n->access || m->mode != n->mode ||
                    !streq_null(m->user, n->user) || !streq_null(m->group, n->group) ||
                    m->optional != n->optional)
                        return false;
        }

        return true;
}

static bool id_ranges_equal(const Definition *a, const Definition *b) {
        if (a->n_id_ranges != b->n_id_ranges)
                return false;
        for (size_t i = 0; i < a->n_id_ranges; i++) {
                const IdRange *m = a->id_ranges + i, *n = b->id_ranges + i;

                if (m->kinds != n->kinds || m->inside != n->inside || m->outside != n->outside ||
                    m->count != n->count)
                        return false;
        }

        return true;
}

/* The INDEXth property called NAME. */
static const char *nth_property(const Definition *definition, const char *name, size_t index) {
        for (size_t i = 0; i < definition->n_properties; i++)
                if (streq(definition->properties[i].name, name) && index-- == 0)
                        return definition->properties[i].value;

        return NULL;
}

static bool properties_equal(const Definition *a, const Definition *b) {
        if (a->n_properties != b->n_properties)
                return false;
        for (size_t i = 0; i < a->n_properties; i++) {
                const ResourceProperty *property = a->properties + i;
                size_t before = 0;

                for (size_t j = 0; j < i; j++)
                        before += streq(a->properties[j].name, property->name);
                if (!streq_null(nth_property(b, property->name, before), property->value))
                        return false;
        }

        return true;
}

static bool rlimits_equal(const Definition *a, const Definition *b) {
        if (a->n_rlimits != b->n_rlimits)
                return false;
        for (size_t i = 0; i < a->n_rlimits; i++) {
                bool found = false;

                for (size_t j = 0; j < b->n_rlimits; j++)
                        if (a->rlimits[i].resource == b->rlimits[j].resource)
                                found = a->rlimits[i].limit.rlim_cur == b->rlimits[j].limit.rlim_cur &&
                                        a->rlimits[i].limit.rlim_max == b->rlimits[j].limit.rlim_max;
                if (!found)
                        return false;
        }

        return true;
}

static const char *difference_of_container(const Definition *a, const Definition *b) {
        if (!streq_null(a->description, b->description))
                return "description";
        if (!strv_equal(a->command, b->command))
                return "command";
        if (a->boot != b->boot || a->ready != b->ready || a->architecture != b->architecture)
                return "boot, ready or architecture";
        if (!streq_null(a->user, b->user) || !streq_null(a->group, b->group) ||
            !strv_equal(a->groups, b->groups))
                return "user, group or groups";
        if (!streq_null(a->working_directory, b->working_directory))
                return "working directory";
        if (!key_values_equal(a->environment, a->n_environment, b->environment, b->n_environment))
                return "environment";
        if (!streq_null(a->hostname, b->hostname) || !streq_null(a->machine_id, b->machine_id))
                return "host name or machine id";
        if (a->stop_signal != b->stop_signal || a->reboot_signal != b->reboot_signal)
                return "signals";

        return a->console != b->console || a->ephemeral != b->ephemeral ? "console or ephemeral" : NULL;
}

static bool hooks_equal(const Definition *a, const Definition *b) {
        for (HookKind kind = 0; kind < _HOOK_N; kind++) {
                const HookList *m = a->hooks + kind, *n = b->hooks + kind;

                if (m->n != n->n)
                        return false;
                for (size_t i = 0; i < m->n; i++)
                        if (!strv_equal(m->commands[i], n->commands[i]))
                                return false;
        }

        return a->hook_timeout_usec == b->hook_timeout_usec;
}

static const char *difference_of_rest(const Definition *a, const Definition *b) {
        if (!streq_null(a->root_path, b->root_path) || !streq_null(a->root_image, b->root_image))
                return "root";
        if (a->overlay != b->overlay || a->read_only != b->read_only || a->managed != b->managed ||
            a->root_flags != b->root_flags)
                return "root";
        if (a->user_namespace != b->user_namespace || !id_ranges_equal(a, b))
                return "identity";
        if (a->namespaces != b->namespaces || a->namespaces_private != b->namespaces_private ||
            a->namespaces_shared != b->namespaces_shared)
                return "namespaces";
        if (!mounts_equal(a, b))
                return "mounts";
        if (!devices_equal(a, b))
                return "devices";
        if (!properties_equal(a, b))
                return "properties";
        if (!rlimits_equal(a, b))
                return "rlimits";
        if (!streq_null(a->seccomp, b->seccomp) || !strv_equal(a->seccomp_rules, b->seccomp_rules) ||
            !streq_null(a->seccomp_notify, b->seccomp_notify) || a->nesting != b->nesting)
                return "seccomp or nesting";
        if (a->capabilities.added != b->capabilities.added ||
            a->capabilities.removed != b->capabilities.removed || a->ambient != b->ambient ||
            a->no_new_privileges != b->no_new_privileges || a->keyring != b->keyring)
                return "capabilities or keyring";
        if (!strv_equal(a->mask_paths, b->mask_paths) || !strv_equal(a->unmask_paths, b->unmask_paths))
                return "masks";
        if (!streq_null(a->apparmor, b->apparmor) || !strv_equal(a->apparmor_rules, b->apparmor_rules) ||
            a->apparmor_allow_incomplete != b->apparmor_allow_incomplete ||
            !streq_null(a->selinux_context, b->selinux_context))
                return "apparmor or selinux";
        if (!key_values_equal(a->sysctls, a->n_sysctls, b->sysctls, b->n_sysctls))
                return "sysctls";
        if (!hooks_equal(a, b))
                return "hooks";
        if (!strv_equal(a->after, b->after) || a->delay_usec != b->delay_usec ||
            !streq_null(a->autostart_group, b->autostart_group))
                return "autostart";

        return NULL;
}

const char *definition_difference(const Definition *a, const Definition *b) {
        return difference_of_container(a, b) ?: difference_of_rest(a, b);
}
