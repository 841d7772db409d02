/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What only the whole definition can tell; see check.h. One function per topic; each says where the value
 * stands that does not fit, and what would.
 */
#include <errno.h>
#include <inttypes.h>

#include "basic/capability.h"
#include "basic/parse.h"
#include "basic/string.h"
#include "basic/strv.h"
#include "spec/check.h"
#include "spec/key.h"
#include "spec/limits.h"
#include "spec/lsm.h"

typedef struct Check {
        const Definition *definition;
        Problems *problems;
        int error; /* the first negative errno: memory ran out */
} Check;

static void complain_at(Check *check, const Origin *origin, const char *key, const char *text) {
        int r;

        r = problems_add(check->problems, origin ? origin->file : NULL, origin ? origin->line : 0, key, "%s",
                         text);
        if (r < 0 && check->error == 0)
                check->error = r;
}

/* About a key, where it was set; where it is not set, about the definition's own file. */
static void complain(Check *check, const char *section, const char *key, const char *text) {
        const Definition *definition = check->definition;
        const Origin *origin = definition_origin(definition, section, key);
        const Origin whole = { .file = definition->n_files > 0 ? definition->files[0] : NULL };

        complain_at(check, origin ?: &whole, key, text);
}

static void complain_mount(Check *check, size_t mount, const char *key, const char *text) {
        const Origin *origin = definition_entry_origin(check->definition, SECTION_MOUNT, mount, key);

        complain_at(check, origin ?: &check->definition->mounts[mount].origin, key, text);
}

static void complain_device(Check *check, size_t device, const char *key, const char *text) {
        const Origin *origin = definition_entry_origin(check->definition, SECTION_DEVICE, device, key);

        complain_at(check, origin ?: &check->definition->devices[device].origin, key, text);
}

static bool is_set(const Check *check, const char *section, const char *key) {
        return definition_origin(check->definition, section, key);
}

/* Owns TEXT, which may be NULL when memory ran out. */
static void complain_printed(Check *check, const char *section, const char *key, char *text) {
        if (text)
                complain(check, section, key, text);
        else if (check->error == 0)
                check->error = -ENOMEM;
        free(text);
}

static void check_container(Check *check) {
        static const char *const for_command[] = { "User", "Group", "Groups", "WorkingDirectory" };
        const Definition *definition = check->definition;

        switch (definition_boot(definition)) {
        case BOOT_INIT:
                if (definition->command)
                        complain(check, "Container", "Command",
                                 "has no effect with Boot=yes, which runs the root's own init; leave one of "
                                 "them out");
                else
                        for (size_t i = 0; i < ELEMENTSOF(for_command); i++)
                                if (is_set(check, "Container", for_command[i]))
                                        complain(check, "Container", for_command[i],
                                                 "is for a Command=; an init runs as the inside's root in "
                                                 "/");
                break;
        case BOOT_DIRECT:
        case BOOT_REAPER:
                if (!definition->command)
                        complain(check, "Container", "Boot",
                                 "needs a Command=; without one, Boot=yes runs the root's own init");
                break;
        case BOOT_UNSET:
        case _BOOT_MODE_N:
                break;
        }

        if (definition->hostname && (definition->namespaces_shared & NAMESPACE_UTS))
                complain(check, "Container", "Hostname",
                         "cannot be set with Share=uts: the host's name is shown then");
}

static void check_root(Check *check) {
        const Definition *definition = check->definition;

        if (definition->managed && definition->root_path)
                complain(check, "Root", "Path",
                         "is not for Managed=yes, where the root is in berth's own store; leave one of them "
                         "out");
        if (definition->root_image && (definition->managed || definition->root_path))
                complain(check, "Root", "Image",
                         "is a root of its own, beside Path= or Managed=yes; leave one of them out");
        if (!definition->managed && !definition->root_path && !definition->root_image)
                complain(check, "Root", "Path",
                         "is not set; give the root file system's directory, or Image= for a disk image, or "
                         "Managed=yes for one in berth's store");
        if (definition->ephemeral && definition->read_only)
                complain(check, "Container", "Ephemeral",
                         "has nothing to throw away with [Root] ReadOnly=yes; leave one of them out");
        if (definition->overlay && definition->read_only)
                complain(check, "Root", "Overlay",
                         "keeps changes, and ReadOnly=yes allows none; leave one of them out");
}

static void check_namespaces(Check *check) {
        static const char *const names[] = { "uts", "ipc", "net", "cgroup", "time" };
        const Definition *definition = check->definition;
        unsigned both = definition->namespaces_private & definition->namespaces_shared;

        for (unsigned i = 0; i < ELEMENTSOF(names); i++)
                if (both & (1U << i))
                        complain_printed(check, "Namespaces", "Share",
                                         string_printf("names %s, which Private= names too; leave it in one "
                                                       "of them",
                                                       names[i]));
}

/* The settings of a namespace that is the host's would be the host's own. */
static void check_sysctls(Check *check) {
        static const struct {
                const char *prefix, *word;
                unsigned flag;
        } owners[] = {
                { "net.", "net", NAMESPACE_NET },
                { "kernel.hostname", "uts", NAMESPACE_UTS },
                { "kernel.domainname", "uts", NAMESPACE_UTS },
                { "kernel.", "ipc", NAMESPACE_IPC },
                { "fs.mqueue.", "ipc", NAMESPACE_IPC },
        };
        const Definition *definition = check->definition;

        for (size_t i = 0; i < definition->n_sysctls; i++) {
                const char *key = definition->sysctls[i].key;

                if (!definition->user_namespace && string_after_prefix(key, "user."))
                        complain_printed(check, "Resources", "Sysctl",
                                         string_printf("%s would be the host's with UserNamespace=no; set "
                                                       "it on the host",
                                                       key));
                for (size_t j = 0; j < ELEMENTSOF(owners); j++) {
                        if (!string_after_prefix(key, owners[j].prefix))
                                continue;
                        if (definition->namespaces_shared & owners[j].flag)
                                complain_printed(check, "Resources", "Sysctl",
                                                 string_printf("%s would be the host's with Share=%s; set "
                                                               "it on the host",
                                                               key, owners[j].word));
                        break;
                }
        }
}

static bool ranges_overlap(uint32_t a, uint32_t b, const IdRange *first, const IdRange *second) {
        return a < (uint64_t) b + second->count && b < (uint64_t) a + first->count;
}

static void check_id_pair(Check *check, const IdRange *a, const IdRange *b) {
        const char *side = NULL;

        if (!(a->kinds & b->kinds))
                return;
        if (ranges_overlap(a->inside, b->inside, a, b))
                side = "inside";
        else if (a->outside != ID_OUTSIDE_AUTO && b->outside != ID_OUTSIDE_AUTO &&
                 ranges_overlap(a->outside, b->outside, a, b))
                side = "outside";
        if (!side)
                return;

        complain_printed(check, "Identity", "IDMap",
                         string_printf("the ranges of %" PRIu32 " ids from %" PRIu32 " and of %" PRIu32
                                       " ids from %" PRIu32 " overlap %s",
                                       a->count, a->inside, b->count, b->inside, side));
}

/* Whether the map has ID of this kind inside. */
static bool id_is_mapped(const Definition *definition, IdKind kind, uint32_t id) {
        if (!definition->user_namespace)
                return true;
        if (definition->n_id_ranges == 0)
                return id < ID_RANGE_SIZE;

        for (size_t i = 0; i < definition->n_id_ranges; i++) {
                const IdRange *range = definition->id_ranges + i;

                if ((range->kinds & kind) && id >= range->inside && id - range->inside < range->count)
                        return true;
        }

        return false;
}

/* How many ids of a kind are mapped. */
static uint64_t ids_mapped(const Definition *definition, IdKind kind, bool only_auto) {
        uint64_t sum = 0;

        for (size_t i = 0; i < definition->n_id_ranges; i++)
                if ((definition->id_ranges[i].kinds & kind) &&
                    (!only_auto || definition->id_ranges[i].outside == ID_OUTSIDE_AUTO))
                        sum += definition->id_ranges[i].count;

        return sum;
}

static void check_user(Check *check, const char *key, const char *value, IdKind kind) {
        const Definition *definition = check->definition;
        uint32_t id;

        if (value && parse_u32(value, &id) >= 0 && !id_is_mapped(definition, kind, id))
                complain_printed(check, "Container", key,
                                 string_printf("%s is no id that the container has; [Identity] IDMap= says "
                                               "which it has",
                                               value));
}

static void check_identity(Check *check) {
        const Definition *definition = check->definition;

        if (!definition->user_namespace && definition->n_id_ranges > 0) {
                complain(check, "Identity", "IDMap",
                         "has no meaning with UserNamespace=no; leave one of them out");
                return;
        }

        for (size_t i = 0; i < definition->n_id_ranges; i++)
                for (size_t j = 0; j < i; j++)
                        check_id_pair(check, definition->id_ranges + j, definition->id_ranges + i);

        if (definition->n_id_ranges > 0 &&
            (ids_mapped(definition, ID_UID, false) == 0 || ids_mapped(definition, ID_GID, false) == 0))
                complain(check, "Identity", "IDMap",
                         "maps users or groups alone; the container needs some of both");
        else if (ids_mapped(definition, ID_UID, true) > ID_RANGE_SIZE ||
                 ids_mapped(definition, ID_GID, true) > ID_RANGE_SIZE)
                complain(check, "Identity", "IDMap", "asks for more than 65536 automatic ids");
        else if (definition_boot(definition) == BOOT_INIT &&
                 (!id_is_mapped(definition, ID_UID, 0) || !id_is_mapped(definition, ID_GID, 0)))
                complain(check, "Identity", "IDMap",
                         "does not map 0, as which an init runs; map it or use a Command=");
        else if (!definition->user && !id_is_mapped(definition, ID_UID, 0) &&
                 ids_mapped(definition, ID_UID, false) > 1)
                complain(check, "Identity", "IDMap",
                         "does not map 0, as which the command runs by default; say with User= who runs it");

        check_user(check, "User", definition->user, ID_UID);
        check_user(check, "Group", definition->group, ID_GID);
        for (char *const *group = definition->groups; group && *group; group++)
                check_user(check, "Groups", *group, ID_GID);
}

bool mount_target_is_reserved(const char *target) {
        static const char *const trees[] = { "/proc", "/sys", "/run/host" };

        for (size_t i = 0; i < ELEMENTSOF(trees); i++) {
                const char *rest = string_after_prefix(target, trees[i]);

                if (rest && (!*rest || *rest == '/'))
                        return true;
        }

        return streq(target, "/dev");
}

static void check_mount(Check *check, size_t index) {
        static const char *const bind_only[] = { "Source", "Recursive", "Optional", "IDMap" };
        static const char *const tmpfs_only[] = { "Size", "Mode" };
        const MountSpec *mount = check->definition->mounts + index;
        bool bind = mount->type == MOUNT_BIND;

        if (!mount->target)
                complain_mount(check, index, "Target",
                               "is not set; it says where inside the container to mount");
        else if (mount_target_is_reserved(mount->target))
                complain_mount(check, index, "Target",
                               "cannot be /proc, /sys, /run/host or below, nor /dev itself: the container's "
                               "own are there");
        if (bind && !mount->source)
                complain_mount(check, index, "Source",
                               "is not set; it says which directory or file of the host to show (or write "
                               "Type=tmpfs)");
        if (bind && mount->idmap && !check->definition->user_namespace)
                complain_mount(check, index, "IDMap", "has no meaning with [Identity] UserNamespace=no");

        for (size_t i = 0; !bind && i < ELEMENTSOF(bind_only); i++)
                if (definition_entry_origin(check->definition, SECTION_MOUNT, index, bind_only[i]))
                        complain_mount(check, index, bind_only[i], "is for Type=bind, not for a tmpfs");
        for (size_t i = 0; bind && i < ELEMENTSOF(tmpfs_only); i++)
                if (definition_entry_origin(check->definition, SECTION_MOUNT, index, tmpfs_only[i]))
                        complain_mount(check, index, tmpfs_only[i],
                                       "is for Type=tmpfs, not for a bind mount");

        for (size_t i = 0; mount->target && i < index; i++)
                if (streq_null(check->definition->mounts[i].target, mount->target)) {
                        complain_mount(check, index, "Target",
                                       "is that of an earlier [Mount] too; leave one of them out");
                        break;
                }
}

static void check_device_owner(Check *check, size_t index, const char *key, const char *value, IdKind kind) {
        uint32_t id;

        if (value && parse_u32(value, &id) >= 0 && !id_is_mapped(check->definition, kind, id))
                complain_device(check, index, key,
                                "is no id that the container has; [Identity] IDMap= says which it has");
}

static void check_device(Check *check, size_t index) {
        const DeviceSpec *device = check->definition->devices + index;

        if (!device->path)
                complain_device(check, index, "Path",
                                "is not set; it says which device of the host to give, such as /dev/net/tun");
        if (device->mode != DEVICE_MODE_HOST && device->mode > 0777)
                complain_device(check, index, "Mode", "takes the bits up to 0777: the others mean nothing for a device");
        check_device_owner(check, index, "User", device->user, ID_UID);
        check_device_owner(check, index, "Group", device->group, ID_GID);

        for (size_t i = 0; device->path && i < index; i++)
                if (streq_null(check->definition->devices[i].path, device->path)) {
                        complain_device(check, index, "Path",
                                        "is that of an earlier [Device] too; leave one of them out");
                        break;
                }
}

static void check_seccomp(Check *check) {
        static const char *const for_filter[] = { "SeccompRules", "SeccompNotify" };

        if (definition_seccomp(check->definition))
                return;
        for (size_t i = 0; i < ELEMENTSOF(for_filter); i++)
                if (is_set(check, "Security", for_filter[i]))
                        complain(check, "Security", for_filter[i],
                                 "has no effect with Seccomp=off; leave one of them out");
}

/* Who is root inside has all capabilities of the container as it is. */
static void check_ambient(Check *check) {
        const Definition *definition = check->definition;
        uint64_t missing = definition->ambient & ~definition_capabilities(definition);
        uint32_t id;
        bool root;

        if (!definition->ambient)
                return;

        root = definition->user ? streq(definition->user, "root") ||
                                          (parse_u32(definition->user, &id) >= 0 && id == 0)
                                : id_is_mapped(definition, ID_UID, 0);
        if (root || definition_boot(definition) == BOOT_INIT)
                complain(check, "Security", "AmbientCapabilities",
                         "is for a Command= with a User= other than root");
        for (unsigned i = 0; capability_name(i); i++)
                if (missing & CAPABILITY_BIT(i))
                        complain_printed(check, "Security", "AmbientCapabilities",
                                         string_printf("names %s, which the container does not have; add it "
                                                       "with Capabilities=",
                                                       capability_name(i)));
}

static void check_hooks(Check *check) {
        if (check->definition->hook_timeout_usec == 0)
                complain(check, "Hooks", "Timeout", "cannot be 0: a hook that never ends would hold up the container");
}

static void check_masks(Check *check) {
        const Definition *definition = check->definition;

        for (char *const *path = definition->mask_paths; path && *path; path++) {
                if (streq(*path, "/proc") || streq(*path, "/sys"))
                        complain_printed(check, "Security", "MaskPaths",
                                         string_printf("names %s itself, and the container needs some of it; name parts",
                                                       *path));
                if (strv_contains(definition->unmask_paths, *path))
                        complain_printed(check, "Security", "MaskPaths",
                                         string_printf("names %s, which UnmaskPaths= names too; leave it in one of them",
                                                       *path));
        }
        for (char *const *path = definition->unmask_paths; path && *path; path++)
                if (string_after_prefix(*path, "/sys") && definition->user_namespace &&
                    !(definition->namespaces & NAMESPACE_NET))
                        complain_printed(check, "Security", "UnmaskPaths",
                                         string_printf("names %s, and with Share=net all of /sys is the host's and "
                                                       "read-only",
                                                       *path));
}

static void check_apparmor(Check *check) {
        const Definition *definition = check->definition;

        if (definition->apparmor_rules && definition->apparmor && !streq(definition->apparmor, APPARMOR_GENERATED))
                complain(check, "Security", "AppArmorRules", "has an effect with AppArmor=generated only");
        for (char *const *rule = definition->apparmor_rules; rule && *rule; rule++)
                if (!apparmor_rule_is_closed(*rule))
                        complain(check, "Security", "AppArmorRules",
                                 "has a brace without its other one; a rule is one line");
}

static void check_autostart(Check *check) {
        const Definition *definition = check->definition;

        if (strv_contains(definition->after, definition->name))
                complain(check, "Autostart", "After", "names the container itself");
}

int definition_check(const Definition *definition, Problems *problems) {
        Check check = { .definition = definition, .problems = problems };

        check_container(&check);
        check_root(&check);
        check_identity(&check);
        check_namespaces(&check);
        for (size_t i = 0; i < definition->n_mounts; i++)
                check_mount(&check, i);
        for (size_t i = 0; i < definition->n_devices; i++)
                check_device(&check, i);
        check_sysctls(&check);
        check_seccomp(&check);
        check_ambient(&check);
        check_hooks(&check);
        check_masks(&check);
        check_apparmor(&check);
        check_autostart(&check);

        return check.error;
}
