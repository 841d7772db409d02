/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of keys. A new key is a row here, a field in definition.h, and an entry in berth.container(5),
 * which a test compares with this table.
 */
#include "basic/macro.h"
#include "basic/string.h"
#include "spec/key-types.h"
#include "spec/limits.h"
#include "spec/lsm.h"
#include "spec/name.h"
#include "spec/seccomp.h"

/* Names of users and groups inside: as useradd(8) makes them, or a number. */
static bool user_name_is_valid(const char *name) {
        size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

        if (n == 0 || n > 31 || (name[n] && !(name[n] == '$' && !name[n + 1])))
                return false;
        /* A number is one id; 4294967295 is none. */
        if (strspn(name, "0123456789") == strlen(name))
                return strlen(name) <= 10 && !(strlen(name) == 10 && strcmp(name, "4294967294") > 0) &&
                        (name[0] != '0' || !name[1]);

        return name[0] != '-' && name[0] != '.' && !(name[0] >= '0' && name[0] <= '9');
}

/* [Autostart] After=: a container, or @GROUP. */
static bool after_is_valid(const char *name) {
        return name[0] == '@' ? group_name_is_valid(name + 1) : container_name_is_valid(name);
}

#define USER_RULE "it takes a name inside the container, or a number from 0 to 4294967294"

static const KeyNameRule user_rule = { user_name_is_valid, USER_RULE, GROUPS_MAX };
static const KeyNameRule hostname_rule = {
        hostname_is_valid,
        "a host name is 1 to 64 letters, digits, '-' and '.', and begins and ends with a letter or digit",
        0,
};
static const KeyNameRule group_rule = {
        group_name_is_valid,
        "a group is 1 to 63 letters, digits, '_', '-' and '.', and begins and ends with neither '-' nor '.'",
        0,
};
static const KeyNameRule after_rule = {
        after_is_valid,
        "it takes names of containers (a-z, 0-9, '-', '.'), and @GROUP for all of a group",
        AFTER_MAX,
};

static const KeyNameRule kernel_path_rule = {
        kernel_path_is_valid,
        "it takes paths below /proc and /sys, such as /proc/interrupts, but not those of a process, and without white space, "
        "quotes, \"..\" and \"//\"",
        MASK_PATHS_MAX,
};

static const KeyNameRule seccomp_rule = {
        seccomp_name_is_valid,
        "it takes off, or the name of a profile: letters from a to z, digits and '-', of which a letter is the first",
        0,
};

static const KeyNameRule apparmor_rule = {
        apparmor_name_is_valid,
        "it takes generated, unconfined, unchanged, or the name of a profile: up to 255 visible characters",
        0,
};

static const KeyNameRule selinux_rule = {
        selinux_context_is_valid,
        "it takes USER:ROLE:TYPE, and behind it :RANGE if the container is not to have its own",
        0,
};

static const KeyPathRule below_root = { .below_root = true };
static const KeyPathRule root_or_descriptor = { .below_root = true, .descriptor = true };
static const KeyPathRule device_path = { .device = true };
static const KeyPathRule any_or_descriptor = { .descriptor = true };

#define WORDS(name, ...)                                                \
        static const char *const name##_list[] = { __VA_ARGS__ };       \
        static const KeyWords name = { name##_list, ELEMENTSOF(name##_list) }

WORDS(boot_words, [BOOT_UNSET] = NULL, [BOOT_INIT] = "yes", [BOOT_DIRECT] = "no", [BOOT_REAPER] = "reaper");
WORDS(ready_words, [READY_EXEC] = "exec", [READY_GUEST] = "guest");
WORDS(architecture_words,
      [ARCHITECTURE_NATIVE] = "native",
      [ARCHITECTURE_X86] = "x86",
      [ARCHITECTURE_X86_64] = "x86-64",
      [ARCHITECTURE_ARM] = "arm",
      [ARCHITECTURE_ARM64] = "arm64");
WORDS(mount_type_words, [MOUNT_BIND] = "bind", [MOUNT_TMPFS] = "tmpfs");
WORDS(mount_flag_words, "nosuid", "nodev", "noexec", "noatime", "nosymfollow");
WORDS(keyring_words, [KEYRING_PRIVATE] = "private", [KEYRING_INHERIT] = "inherit");
WORDS(namespace_words, "uts", "ipc", "net", "cgroup", "time");

#define ROW(section_, name_, type_, offset_, data_, trust_, live_, doc_)                                    \
        {                                                                                                   \
                .section = section_, .name = name_, .type = &key_type_##type_, .offset = offset_,           \
                .data = data_, .trust = TRUST_##trust_, .live = live_, .doc = doc_,                         \
        }
#define FIELD(field) offsetof(Definition, field)
#define MOUNT_FIELD(field) offsetof(MountSpec, field)
#define DEVICE_FIELD(field) offsetof(DeviceSpec, field)

#define CONTAINER(name, type, field, data, trust, live, doc) \
        ROW("Container", name, type, FIELD(field), data, trust, live, doc)
#define ROOT(name, type, field, data, trust, doc) \
        ROW("Root", name, type, FIELD(field), data, trust, false, doc)
#define MOUNT(name, type, field, data, trust, doc) \
        ROW(SECTION_MOUNT, name, type, MOUNT_FIELD(field), data, trust, false, doc)
#define DEVICE(name, type, field, data, doc) \
        ROW(SECTION_DEVICE, name, type, DEVICE_FIELD(field), data, ROOT, false, doc)
#define PROPERTY(name, form, trust, doc) \
        ROW("Resources", name, property, 0, &resource_##form, trust, true, doc)
#define PROPERTIES(name, form, trust, doc) \
        ROW("Resources", name, property_list, 0, &resource_##form, trust, true, doc)
#define LIMIT(name, form, trust, doc) ROW("Resources", name, rlimit, 0, &rlimit_##form, trust, false, doc)
#define SECURITY(name, type, field, data, trust, doc) \
        ROW("Security", name, type, FIELD(field), data, trust, false, doc)
#define HOOK(name, kind, trust, doc) ROW("Hooks", name, hook, FIELD(hooks[kind]), NULL, trust, false, doc)
#define AUTOSTART(name, type, field, data, doc) \
        ROW("Autostart", name, type, FIELD(field), data, ANYONE, true, doc)

/* clang-format off */
const Key keys[] = {
        ROW("Container", "Include", include, 0, NULL, ROOT, false,
            "another file, or a directory's *.conf, read in place"),
        CONTAINER("Description", text, description, NULL, ANYONE, true, "one line for people"),
        CONTAINER("Boot", word, boot, &boot_words, ANYONE, false,
                  "what process 1 is: the root's init, Command= or a reaper"),
        CONTAINER("Command", command, command, NULL, ANYONE, false, "program and arguments"),
        CONTAINER("User", name, user, &user_rule, ANYONE, false, "who runs the command"),
        CONTAINER("Group", name, group, &user_rule, ANYONE, false, "the command's group"),
        CONTAINER("Groups", names, groups, &user_rule, ANYONE, false, "the command's further groups"),
        CONTAINER("WorkingDirectory", path, working_directory, NULL, ANYONE, false,
                  "where the command starts"),
        ROW("Container", "Environment", environment, 0, NULL, ANYONE, false, "variables of process 1"),
        CONTAINER("Hostname", name, hostname, &hostname_rule, ANYONE, false,
                  "the name that the container sees"),
        CONTAINER("MachineID", machine_id, machine_id, NULL, ANYONE, false, "the container's machine id"),
        CONTAINER("Architecture", word, architecture, &architecture_words, ANYONE, false,
                  "what uname(2) shows"),
        CONTAINER("StopSignal", signal, stop_signal, NULL, ANYONE, false, "asks process 1 to stop"),
        CONTAINER("RebootSignal", signal, reboot_signal, NULL, ANYONE, false, "asks process 1 to reboot"),
        CONTAINER("Ready", word, ready, &ready_words, ANYONE, false, "when the container counts as started"),
        CONTAINER("Console", boolean, console, NULL, ANYONE, false, "a terminal at /dev/console"),
        CONTAINER("Ephemeral", boolean, ephemeral, NULL, ANYONE, false, "changes are thrown away at stop"),

        ROOT("Path", path, root_path, &root_or_descriptor, DESCRIPTOR, "the directory that is the root"),
        ROOT("Image", path, root_image, &below_root, ROOT, "the disk image that has the root"),
        ROOT("Managed", boolean, managed, NULL, ANYONE, "the root is in berth's own store"),
        ROOT("Overlay", boolean, overlay, NULL, ANYONE, "changes go to a layer of the container's own"),
        ROOT("ReadOnly", boolean, read_only, NULL, ANYONE, "nothing can be written"),
        ROOT("Options", flags, root_flags, &mount_flag_words, ANYONE, "restrictions of the mount"),

        ROW("Identity", "UserNamespace", boolean, FIELD(user_namespace), NULL, USER_NAMESPACE, false,
            "ids of its own"),
        ROW("Identity", "IDMap", id_map, 0, NULL, ID_OUTSIDE, false, "which ids"),

        ROW("Namespaces", "Private", flags, FIELD(namespaces_private), &namespace_words, ANYONE, false,
            "namespaces of its own besides the usual"),
        ROW("Namespaces", "Share", flags, FIELD(namespaces_shared), &namespace_words, ROOT, false,
            "namespaces that are the host's"),

        MOUNT("Type", word, type, &mount_type_words, ANYONE, "what is mounted"),
        MOUNT("Source", path, source, &any_or_descriptor, DESCRIPTOR, "the host's directory or file"),
        MOUNT("Target", path, target, &below_root, ANYONE, "where, inside"),
        MOUNT("Options", flags, flags, &mount_flag_words, ANYONE, "restrictions of the mount"),
        MOUNT("ReadOnly", boolean, read_only, NULL, ANYONE, "nothing can be written"),
        MOUNT("Recursive", boolean, recursive, NULL, ANYONE, "with what is mounted below the source"),
        MOUNT("Optional", boolean, optional, NULL, ANYONE, "passed over if the source does not exist"),
        MOUNT("Create", boolean, create, NULL, ANYONE, "make a missing target"),
        MOUNT("IDMap", boolean, idmap, NULL, ANYONE, "show the source's owners as inside"),
        MOUNT("Size", bytes, size, NULL, ANYONE, "of a tmpfs"),
        MOUNT("Mode", mode, mode, NULL, ANYONE, "of a tmpfs"),

        DEVICE("Path", path, path, &device_path, "a device of the host, or several"),
        DEVICE("Access", access, access, NULL, "what may be done with it"),
        DEVICE("Mode", mode, mode, NULL, "of the node inside"),
        DEVICE("User", name, user, &user_rule, "its owner inside"),
        DEVICE("Group", name, group, &user_rule, "its group inside"),
        DEVICE("Optional", boolean, optional, NULL, "passed over if it does not exist"),

        SECURITY("Capabilities", capability_change, capabilities, NULL, CAPABILITIES,
                 "what is added to the capabilities and removed from them"),
        /* The definition can let its command be root inside just as well. */
        SECURITY("AmbientCapabilities", capability_set, ambient, NULL, ANYONE,
                 "capabilities of a command that is not root"),
        SECURITY("NoNewPrivileges", boolean, no_new_privileges, NULL, ANYONE, "no program inside gives rights"),
        SECURITY("Keyring", word, keyring, &keyring_words, KEYRING, "the session keyring"),
        SECURITY("MaskPaths", names, mask_paths, &kernel_path_rule, ANYONE, "parts of /proc and /sys that are hidden"),
        SECURITY("UnmaskPaths", names, unmask_paths, &kernel_path_rule, ROOT, "parts that are as the kernel has them"),
        SECURITY("Seccomp", name, seccomp, &seccomp_rule, SECCOMP, "the profile that system calls are filtered by"),
        SECURITY("SeccompRules", lines, seccomp_rules, NULL, ROOT, "rules behind those of the profile"),
        SECURITY("SeccompNotify", path, seccomp_notify, &below_root, ROOT, "the socket of who answers for calls"),
        SECURITY("AppArmor", name, apparmor, &apparmor_rule, APPARMOR, "the profile that AppArmor confines it with"),
        SECURITY("AppArmorRules", lines, apparmor_rules, NULL, ROOT, "rules in the generated profile"),
        SECURITY("AppArmorAllowIncomplete", boolean, apparmor_allow_incomplete, NULL, ROOT,
                 "start also where AppArmor lacks something"),
        SECURITY("SELinuxContext", name, selinux_context, &selinux_rule, ROOT, "the context that SELinux confines it with"),
        SECURITY("Nesting", boolean, nesting, NULL, ROOT, "containers in the container"),

        PROPERTY("CPUAccounting", boolean, ANYONE, "count processor time"),
        PROPERTY("CPUWeight", weight, WEIGHT, "share of processor time"),
        PROPERTY("StartupCPUWeight", weight, WEIGHT, "the same while the host boots or stops"),
        PROPERTY("CPUQuota", quota, ANYONE, "limit of processor time"),
        PROPERTY("CPUQuotaPeriodSec", period, ANYONE, "over which the quota is measured"),
        PROPERTY("AllowedCPUs", index_set, ANYONE, "processors"),
        PROPERTY("StartupAllowedCPUs", index_set, ANYONE, "the same while the host boots or stops"),
        PROPERTY("AllowedMemoryNodes", index_set, ANYONE, "NUMA nodes"),
        PROPERTY("StartupAllowedMemoryNodes", index_set, ANYONE, "the same while the host boots or stops"),
        PROPERTY("MemoryAccounting", boolean, ANYONE, "count memory"),
        PROPERTY("MemoryMin", memory_or_none, ROOT, "memory that is never taken away"),
        PROPERTY("MemoryLow", memory_or_none, ROOT, "memory that is taken away last"),
        PROPERTY("MemoryHigh", memory, ANYONE, "where memory is throttled"),
        PROPERTY("MemoryMax", memory, ANYONE, "limit of memory"),
        PROPERTY("MemorySwapMax", memory_or_none, ANYONE, "limit of swap"),
        PROPERTY("TasksAccounting", boolean, ANYONE, "count tasks"),
        PROPERTY("TasksMax", tasks, TASKS, "limit of processes and threads"),
        PROPERTY("IOAccounting", boolean, ANYONE, "count block I/O"),
        PROPERTY("IOWeight", io_weight, WEIGHT, "share of block I/O"),
        PROPERTY("StartupIOWeight", io_weight, WEIGHT, "the same while the host boots or stops"),
        PROPERTIES("IODeviceWeight", device_weight, ROOT, "share of one device's I/O"),
        PROPERTIES("IOReadBandwidthMax", device_rate, ROOT, "bytes read from a device in a second"),
        PROPERTIES("IOWriteBandwidthMax", device_rate, ROOT, "bytes written to a device in a second"),
        PROPERTIES("IOReadIOPSMax", device_rate, ROOT, "reads from a device in a second"),
        PROPERTIES("IOWriteIOPSMax", device_rate, ROOT, "writes to a device in a second"),
        PROPERTIES("IODeviceLatencyTargetSec", device_latency, ROOT, "latency that a device is to keep"),
        PROPERTY("IPAccounting", boolean, ANYONE, "count network traffic"),
        PROPERTY("ManagedOOMSwap", oom_mode, ANYONE, "whether systemd-oomd acts on swap"),
        PROPERTY("ManagedOOMMemoryPressure", oom_mode, ANYONE, "whether systemd-oomd acts on pressure"),
        PROPERTY("ManagedOOMMemoryPressureLimit", pressure, ANYONE, "from which pressure"),
        PROPERTY("ManagedOOMPreference", oom_preference, ROOT, "whether systemd-oomd passes it over"),

        LIMIT("LimitCPU", cpu, ANYONE, "processor time of a process"),
        LIMIT("LimitFSIZE", fsize, ANYONE, "size of a file"),
        LIMIT("LimitDATA", data, ANYONE, "size of a process's data"),
        LIMIT("LimitSTACK", stack, ANYONE, "size of a stack"),
        LIMIT("LimitCORE", core, ANYONE, "size of a core dump"),
        LIMIT("LimitRSS", rss, ANYONE, "without effect on Linux"),
        LIMIT("LimitNOFILE", nofile, ANYONE, "open files of a process"),
        LIMIT("LimitAS", as, ANYONE, "address space of a process"),
        LIMIT("LimitNPROC", nproc, ANYONE, "processes of a user"),
        LIMIT("LimitMEMLOCK", memlock, ROOT, "memory locked by a process"),
        LIMIT("LimitLOCKS", locks, ANYONE, "file locks of a process"),
        LIMIT("LimitSIGPENDING", sigpending, ROOT, "queued signals of a user"),
        LIMIT("LimitMSGQUEUE", msgqueue, ROOT, "bytes in message queues of a user"),
        LIMIT("LimitNICE", nice, ROOT, "the best nice level"),
        LIMIT("LimitRTPRIO", rtprio, ROOT, "the highest real-time priority"),
        LIMIT("LimitRTTIME", rttime, ANYONE, "real-time processor time without a pause"),

        ROW("Resources", "Sysctl", sysctl, 0, NULL, ANYONE, false,
            "settings of the container's own kernel view"),

        HOOK("PreStart", HOOK_PRE_START, ROOT, "on the host, before anything is made"),
        HOOK("PreMount", HOOK_PRE_MOUNT, ROOT, "on the host, before the root is opened"),
        HOOK("Autodev", HOOK_AUTODEV, ROOT, "on the host, to add to the container's /dev"),
        HOOK("Mount", HOOK_MOUNT, ROOT, "with the container's rights, before its root is all that there is"),
        HOOK("StartHost", HOOK_START_HOST, ROOT, "on the host, when all is made, before the first program runs"),
        /* It is a program of the container's, and gets nothing that the container's own init would not get. */
        HOOK("Start", HOOK_START, ANYONE, "inside, before the first program runs"),
        HOOK("Stop", HOOK_STOP, ROOT, "on the host, when the container has ended"),
        HOOK("PostStop", HOOK_POST_STOP, ROOT, "on the host, after that and after a start that failed"),
        ROW("Hooks", "Timeout", delay, FIELD(hook_timeout_usec), NULL, ANYONE, false, "of each hook"),

        AUTOSTART("After", names, after, &after_rule, "start after these"),
        AUTOSTART("Delay", delay, delay_usec, NULL, "wait before starting"),
        AUTOSTART("Group", name, autostart_group, &group_rule, "the group it belongs to"),
};
/* clang-format on */

const size_t n_keys = ELEMENTSOF(keys);

static const MountSpec mount_empty = { .recursive = true, .mode = 0755 };
static const DeviceSpec device_empty = { .access = DEVICE_READ | DEVICE_WRITE, .mode = DEVICE_MODE_HOST };

#define LIST(name, Type, array_, n_, empty_, max_)                                                          \
        {                                                                                                   \
                .section = name, .array = offsetof(Definition, array_), .n = offsetof(Definition, n_),      \
                .size = sizeof(Type), .origin = offsetof(Type, origin), .empty = &(empty_), .max = max_,    \
        }

const KeyList key_lists[] = {
        LIST(SECTION_MOUNT, MountSpec, mounts, n_mounts, mount_empty, MOUNTS_MAX),
        LIST(SECTION_DEVICE, DeviceSpec, devices, n_devices, device_empty, DEVICES_MAX),
};

const size_t n_key_lists = ELEMENTSOF(key_lists);
