/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Life of a definition, the defaults that depend on other keys, and where its values come from.
 */
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

#include "basic/array.h"
#include "basic/capability.h"
#include "basic/string.h"
#include "basic/strv.h"
#include "spec/definition.h"
#include "spec/hook.h"
#include "spec/limits.h"
#include "spec/origin.h"
#include "spec/seccomp.h"

/* What a whole system needs to boot and to manage what is its own, as systemd-nspawn grants it, without
 * CAP_AUDIT_*: the kernel's audit knows no containers, and programs inside take its absence better than its
 * refusal. It is the same with a user namespace, where the others would hardly mean anything: the kernel asks
 * for most of them in its first one. */
static const uint64_t default_capabilities =
        CAPABILITY_BIT(CAP_CHOWN) | CAPABILITY_BIT(CAP_DAC_OVERRIDE) | CAPABILITY_BIT(CAP_DAC_READ_SEARCH) |
        CAPABILITY_BIT(CAP_FOWNER) | CAPABILITY_BIT(CAP_FSETID) | CAPABILITY_BIT(CAP_IPC_OWNER) |
        CAPABILITY_BIT(CAP_KILL) | CAPABILITY_BIT(CAP_LEASE) | CAPABILITY_BIT(CAP_LINUX_IMMUTABLE) |
        CAPABILITY_BIT(CAP_MKNOD) | CAPABILITY_BIT(CAP_NET_BIND_SERVICE) | CAPABILITY_BIT(CAP_NET_BROADCAST) |
        CAPABILITY_BIT(CAP_NET_RAW) | CAPABILITY_BIT(CAP_SETFCAP) | CAPABILITY_BIT(CAP_SETGID) |
        CAPABILITY_BIT(CAP_SETPCAP) | CAPABILITY_BIT(CAP_SETUID) | CAPABILITY_BIT(CAP_SYS_ADMIN) |
        CAPABILITY_BIT(CAP_SYS_BOOT) | CAPABILITY_BIT(CAP_SYS_CHROOT) | CAPABILITY_BIT(CAP_SYS_NICE) |
        CAPABILITY_BIT(CAP_SYS_PTRACE) | CAPABILITY_BIT(CAP_SYS_RESOURCE) | CAPABILITY_BIT(CAP_SYS_TTY_CONFIG);

static void key_values_free(KeyValue *values, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(values[i].key);
                free(values[i].value);
        }
        free(values);
}

Definition *definition_free(Definition *definition) {
        if (!definition)
                return NULL;

        free(definition->name);
        free(definition->untrusted_reason);
        free(definition->description);
        strv_free(definition->command);
        free(definition->user);
        free(definition->group);
        free(definition->working_directory);
        key_values_free(definition->environment, definition->n_environment);
        free(definition->hostname);
        free(definition->machine_id);
        strv_free(definition->groups);
        free(definition->root_path);
        free(definition->root_image);
        free(definition->id_ranges);
        for (size_t i = 0; i < definition->n_mounts; i++) {
                free(definition->mounts[i].source);
                free(definition->mounts[i].target);
        }
        free(definition->mounts);
        for (size_t i = 0; i < definition->n_devices; i++) {
                free(definition->devices[i].path);
                free(definition->devices[i].user);
                free(definition->devices[i].group);
        }
        free(definition->devices);
        strv_free(definition->mask_paths);
        strv_free(definition->unmask_paths);
        free(definition->seccomp);
        strv_free(definition->seccomp_rules);
        free(definition->seccomp_notify);
        free(definition->apparmor);
        strv_free(definition->apparmor_rules);
        free(definition->selinux_context);
        for (size_t i = 0; i < definition->n_properties; i++)
                free(definition->properties[i].value);
        free(definition->properties);
        free(definition->rlimits);
        key_values_free(definition->sysctls, definition->n_sysctls);
        for (HookKind kind = 0; kind < _HOOK_N; kind++)
                hook_list_clear(definition->hooks + kind);
        strv_free(definition->after);
        free(definition->autostart_group);
        for (size_t i = 0; i < definition->n_files; i++)
                free(definition->files[i]);
        free(definition->files);
        free(definition->origins);
        free(definition);

        return NULL;
}

Definition *definition_new(const char *name) {
        _cleanup_(definition_freep) Definition *definition = calloc(1, sizeof(Definition));

        if (!definition)
                return NULL;

        definition->user_namespace = true;
        definition->namespaces = NAMESPACES_DEFAULT;
        definition->hook_timeout_usec = HOOK_TIMEOUT_USEC;
        definition->name = strdup(name);
        if (!definition->name)
                return NULL;

        return TAKE_PTR(definition);
}

BootMode definition_boot(const Definition *definition) {
        if (definition->boot != BOOT_UNSET)
                return definition->boot;

        return definition->command ? BOOT_DIRECT : BOOT_INIT;
}

const char *definition_seccomp(const Definition *definition) {
        if (!definition->seccomp)
                return SECCOMP_DEFAULT;

        return streq(definition->seccomp, SECCOMP_OFF) ? NULL : definition->seccomp;
}

uint64_t definition_default_capabilities(const Definition *definition) {
        return default_capabilities |
                (definition->namespaces & NAMESPACE_NET ? CAPABILITY_BIT(CAP_NET_ADMIN) : 0);
}

uint64_t definition_capabilities(const Definition *definition) {
        return (definition_default_capabilities(definition) & ~definition->capabilities.removed) |
                definition->capabilities.added;
}

int origins_add(Definition *definition, const Key *key, size_t entry, Origin origin) {
        if (!key->type->list)
                origins_remove(definition, key, entry);

        return ARRAY_APPEND(definition->origins, definition->n_origins,
                            (KeyOrigin) { .key = key, .entry = entry, .origin = origin });
}

void origins_remove(Definition *definition, const Key *key, size_t entry) {
        size_t kept = 0;

        /* The count only ever shrinks here: array_reserve() then sees a power of two that was passed before,
         * and asks for the same size again. */
        for (size_t i = 0; i < definition->n_origins; i++)
                if (definition->origins[i].key != key || definition->origins[i].entry != entry)
                        definition->origins[kept++] = definition->origins[i];
        definition->n_origins = kept;
}

const Origin *origins_find(const Definition *definition, const Key *key, size_t entry) {
        for (size_t i = definition->n_origins; i > 0; i--)
                if (definition->origins[i - 1].key == key && definition->origins[i - 1].entry == entry)
                        return &definition->origins[i - 1].origin;

        return NULL;
}

const char *definition_descriptor(const char *path) {
        return string_after_prefix(path, "fd:");
}

static bool names_descriptor(const char *path, const char *const *names, size_t n) {
        const char *descriptor = path ? definition_descriptor(path) : NULL;

        for (size_t i = 0; descriptor && i < n; i++)
                if (streq(names[i], descriptor))
                        return true;

        return !descriptor;
}

const char *definition_missing_descriptor(const Definition *definition, const char *const *names, size_t n) {
        if (!names_descriptor(definition->root_path, names, n))
                return definition_descriptor(definition->root_path);
        for (size_t i = 0; i < definition->n_mounts; i++)
                if (!names_descriptor(definition->mounts[i].source, names, n))
                        return definition_descriptor(definition->mounts[i].source);

        return NULL;
}

const Origin *definition_origin(const Definition *definition, const char *section, const char *name) {
        const Key *key = key_find(section, name);

        return key ? origins_find(definition, key, ORIGIN_NO_ENTRY) : NULL;
}

const Origin *
definition_entry_origin(const Definition *definition, const char *section, size_t entry, const char *name) {
        const Key *key = key_find(section, name);

        return key ? origins_find(definition, key, entry) : NULL;
}
