/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A container's definition: what its files say once they are merged, and nothing else. It is filled by
 * definition_load() and never changed afterwards. What a start derives from it is the launch plan; what a
 * running container is, its state; neither flows back into a definition.
 *
 * Strings and arrays are owned by the definition. A key that was not set has the default that stands beside
 * its field; keys whose default depends on other keys are left "unset" and resolved by the accessors below.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "basic/cleanup.h"

/* Where a key's value came from: the last file and line that assigned to it. */
typedef struct Origin {
        const char *file; /* owned by the definition's list of files */
        unsigned line;
} Origin;

/* [Container] Boot= */
typedef enum BootMode {
        BOOT_UNSET,  /* yes without Command=, no with it: see definition_boot() */
        BOOT_INIT,   /* yes: the root's own init, /sbin/init, is process 1 */
        BOOT_DIRECT, /* no: Command= is process 1 */
        BOOT_REAPER, /* reaper: berth's static init is process 1, runs Command= and returns its status */
        _BOOT_MODE_N,
} BootMode;

/* [Container] Ready= */
typedef enum ReadyMode {
        READY_EXEC,  /* the container is up when its process 1 has been executed */
        READY_GUEST, /* ... when the guest says READY=1 on its NOTIFY_SOCKET */
        _READY_MODE_N,
} ReadyMode;

/* [Container] Architecture=: what uname(2) shows inside, by personality(2) */
typedef enum Architecture {
        ARCHITECTURE_NATIVE,
        ARCHITECTURE_X86,
        ARCHITECTURE_X86_64,
        ARCHITECTURE_ARM,
        ARCHITECTURE_ARM64,
        _ARCHITECTURE_N,
} Architecture;

/* [Namespaces] Private=, Share=: one bit each; user namespaces have UserNamespace= */
typedef enum NamespaceFlag {
        NAMESPACE_UTS = 1 << 0,
        NAMESPACE_IPC = 1 << 1,
        NAMESPACE_NET = 1 << 2,
        NAMESPACE_CGROUP = 1 << 3,
        NAMESPACE_TIME = 1 << 4, /* the only one that is not private by default */
} NamespaceFlag;

#define NAMESPACES_DEFAULT (NAMESPACE_UTS | NAMESPACE_IPC | NAMESPACE_NET | NAMESPACE_CGROUP)

/* Mount options that berth understands, for [Root] Options= and [Mount] Options=; none is passed on */
typedef enum MountFlag {
        MOUNT_FLAG_NOSUID = 1 << 0,
        MOUNT_FLAG_NODEV = 1 << 1,
        MOUNT_FLAG_NOEXEC = 1 << 2,
        MOUNT_FLAG_NOATIME = 1 << 3,
        MOUNT_FLAG_NOSYMFOLLOW = 1 << 4,
} MountFlag;

typedef enum MountType {
        MOUNT_BIND, /* Type=bind: Source= is a directory or file of the host */
        MOUNT_TMPFS,
        _MOUNT_TYPE_N,
} MountType;

/* One [Mount] section. */
typedef struct MountSpec {
        MountType type;
        char *source;     /* absolute path on the host, or fd:NAME; bind only */
        char *target;     /* absolute path inside, normalised, never "/" */
        unsigned flags;   /* MountFlag */
        bool read_only;
        bool recursive;   /* bind: with what is mounted below the source; default yes */
        bool optional;    /* a source that does not exist is passed over */
        bool create;      /* make a missing target inside the root */
        bool idmap;       /* bind: the source's owners are shown as inside (0 is container root) */
        uint64_t size;    /* tmpfs: bytes, 0 for the kernel's default */
        mode_t mode;      /* tmpfs: default 0755 */
        Origin origin;    /* of the section header */
} MountSpec;

/* [Device] Access= */
typedef enum DeviceAccess {
        DEVICE_READ = 1 << 0,
        DEVICE_WRITE = 1 << 1,
        DEVICE_MAKE = 1 << 2, /* nodes of it */
} DeviceAccess;

#define DEVICE_MODE_HOST ((mode_t) -1)

/* One [Device] section. */
typedef struct DeviceSpec {
        char *path;       /* below /dev: of a node, or of a directory of nodes, or a pattern (glob(7)) for nodes */
        unsigned access;  /* DeviceAccess; default rw */
        mode_t mode;      /* of the node inside; DEVICE_MODE_HOST: that of the host's */
        char *user;       /* its owner, name or number inside; NULL: the inside's root */
        char *group;      /* NULL: the inside's root */
        bool optional;    /* a device that does not exist is passed over */
        Origin origin;    /* of the section header */
} DeviceSpec;

typedef enum IdKind {
        ID_UID = 1 << 0,
        ID_GID = 1 << 1,
} IdKind;

#define ID_OUTSIDE_AUTO UINT32_MAX

/* One IDMap= range. */
typedef struct IdRange {
        unsigned kinds;   /* IdKind, both by default */
        uint32_t inside;
        uint32_t outside; /* ID_OUTSIDE_AUTO: from the free range that the start finds */
        uint32_t count;
} IdRange;

/* One resource-control property as systemd names it; value is systemd's text, checked and normalised. */
typedef struct ResourceProperty {
        const char *name; /* static */
        char *value;
} ResourceProperty;

typedef struct Rlimit {
        int resource; /* RLIMIT_* */
        struct rlimit limit;
} Rlimit;

/* [Hooks]: programs that are run at points of a container's life, in this order (spec/hook.h) */
typedef enum HookKind {
        HOOK_PRE_START,
        HOOK_PRE_MOUNT,
        HOOK_AUTODEV,
        HOOK_MOUNT,
        HOOK_START_HOST,
        HOOK_START,
        HOOK_STOP,
        HOOK_POST_STOP,
        _HOOK_N,
} HookKind;

/* The commands of one kind, each an argv, in their order. */
typedef struct HookList {
        char ***commands;
        size_t n;
} HookList;

typedef struct KeyValue {
        char *key;
        char *value;
} KeyValue;

/* Capabilities=: what is added to the default set and removed from it. No capability is in both. */
typedef struct CapabilityChange {
        uint64_t added, removed;
} CapabilityChange;

/* [Security] Keyring= */
typedef enum KeyringMode {
        KEYRING_PRIVATE, /* a fresh session keyring */
        KEYRING_INHERIT, /* that of the unit */
        _KEYRING_MODE_N,
} KeyringMode;

typedef struct Definition {
        char *name;
        bool trusted; /* every file that contributed is root's alone and lies in trusted places */
        char *untrusted_reason; /* if not: the first such file and why, as a clause */

        /* [Container] */
        char *description;
        char **command;         /* argv, NULL if not set */
        BootMode boot;
        char *user;             /* name or number inside; NULL: the inside's root, or its only id */
        char *group;            /* NULL: the user's */
        char *working_directory; /* NULL: "/" */
        KeyValue *environment;
        size_t n_environment;
        char *hostname;         /* NULL: the name */
        char *machine_id;       /* 32 lower-case hexadecimal digits; NULL: derived from host and name */
        Architecture architecture;
        int stop_signal;        /* 0: by the guest's kind */
        int reboot_signal;      /* 0: by the guest's kind */
        ReadyMode ready;
        bool console;           /* a terminal at /dev/console; default no */
        bool ephemeral;
        char **groups;

        /* [Root] */
        char *root_path;        /* absolute path on the host, or fd:NAME; NULL with managed */
        char *root_image;       /* absolute path of a disk image, instead of root_path */
        bool overlay;
        bool read_only;
        bool managed;           /* the root is berth's own, in its store */
        unsigned root_flags;    /* MountFlag */

        /* [Identity] */
        bool user_namespace;    /* default yes */
        IdRange *id_ranges;     /* none: 0:auto:65536 */
        size_t n_id_ranges;

        /* [Namespaces]: NamespaceFlag */
        unsigned namespaces;    /* the private ones, after defaults, Private= and Share= */
        unsigned namespaces_private, namespaces_shared; /* what the two keys name */

        /* [Mount] */
        MountSpec *mounts;
        size_t n_mounts;

        /* [Device] */
        DeviceSpec *devices;
        size_t n_devices;

        /* [Security] */
        char *seccomp;          /* a profile's name, or off; NULL: default */
        char **seccomp_rules;   /* lines behind the profile */
        char *seccomp_notify;   /* the socket of who answers for calls; NULL: nobody */
        char *apparmor;         /* unconfined, unchanged, or a profile's name; NULL: generated */
        char **apparmor_rules;  /* lines in the generated profile */
        bool apparmor_allow_incomplete; /* start also where AppArmor cannot do all of it; default no */
        char *selinux_context;  /* NULL: the launcher's is left as it is */
        bool nesting;           /* containers in the container; default no */
        CapabilityChange capabilities;
        uint64_t ambient;       /* capabilities that the command has as another user than root */
        bool no_new_privileges; /* default no */
        KeyringMode keyring;
        char **mask_paths, **unmask_paths;

        /* [Resources] */
        ResourceProperty *properties;
        size_t n_properties;
        Rlimit *rlimits;
        size_t n_rlimits;
        KeyValue *sysctls;      /* key with dots: net.ipv4.ip_forward */
        size_t n_sysctls;

        /* [Hooks] */
        HookList hooks[_HOOK_N];
        uint64_t hook_timeout_usec; /* of each; default HOOK_TIMEOUT_USEC */

        /* [Autostart] */
        char **after;           /* container names, and @GROUP for all of a group */
        uint64_t delay_usec;
        char *autostart_group;

        /* Private to src/spec: the files that were read, and the origin of each key. */
        char **files;
        size_t n_files;
        struct KeyOrigin *origins;
        size_t n_origins;
} Definition;

Definition *definition_free(Definition *definition);
DEFINE_CLEANUP(Definition *, definition_free)

/* A definition that says nothing: all defaults. NULL when memory ran out. */
Definition *definition_new(const char *name);

/* Boot= with its default resolved; never BOOT_UNSET. */
BootMode definition_boot(const Definition *definition);

/* The name of the descriptor if the value of a key is fd:NAME: it stands for what the caller opened and sent along with
 * the definition (spec/handover.h). NULL if it is a path. */
const char *definition_descriptor(const char *path);

/* Seccomp= with its default: a profile's name, or NULL when calls are not filtered. */
const char *definition_seccomp(const Definition *definition);

/* The capabilities that nobody inside ever has more than: by default, and with Capabilities=. */
uint64_t definition_default_capabilities(const Definition *definition);
uint64_t definition_capabilities(const Definition *definition);

/* The first descriptor that the definition names and that is none of the N names; NULL if there is none. A definition
 * that is kept in a file has no descriptors. */
const char *definition_missing_descriptor(const Definition *definition, const char *const *names, size_t n);

/* Where the key was last assigned to; NULL if it was not. Keys of sections that may come more than once, each an ENTRY
 * of its list, have the other function. */
const Origin *definition_origin(const Definition *definition, const char *section, const char *name);
const Origin *
definition_entry_origin(const Definition *definition, const char *section, size_t entry, const char *name);
