/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/capabilities.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "basic/file.h"
#include "basic/macro.h"
#include "basic/parse.h"
#include "basic/string.h"
#include "spec/limits.h"

#define SYSTEMD_OLDEST 252
#define POLKIT "org.freedesktop.PolicyKit1"
#define MACHINED "org.freedesktop.machine1"
#define DATA_DIRECTORY "var/lib/berth"

struct Capabilities {
        sd_bus_slot *slots[3];
        BusFacts facts;
};

typedef struct Host {
        int root_fd;
        const BusFacts *facts;
} Host;

typedef struct Row Row;

struct Row {
        const char *word;
        bool (*probe)(const Host *host, const Row *row, char reason[static CAPABILITY_REASON_SIZE]);
        const char *argument;
        const char *reason; /* when the probe has none of its own */
};

/* The file NAME, NULL if it cannot be read. */
static char *host_read(const Host *host, const char *name) {
        char *text;

        return file_read(host->root_fd, name, CAPABILITY_FILE_MAX, &text, NULL) < 0 ? NULL : text;
}

static bool probe_file(const Host *host, const Row *row, char reason[static CAPABILITY_REASON_SIZE]) {
        struct stat st;

        return fstatat(host->root_fd, row->argument, &st, 0) >= 0;
}

/* That it can be read: of what is switched off, some files are there and give nothing. */
static bool probe_readable(const Host *host, const Row *row, char reason[static CAPABILITY_REASON_SIZE]) {
        _cleanup_free_ char *text = host_read(host, row->argument);

        return text && text[0] != '\0';
}

static bool probe_link(const Host *host, const Row *row, char reason[static CAPABILITY_REASON_SIZE]) {
        struct stat st;

        return fstatat(host->root_fd, row->argument, &st, AT_SYMLINK_NOFOLLOW) >= 0;
}

static bool probe_positive(const Host *host, const Row *row, char reason[static CAPABILITY_REASON_SIZE]) {
        _cleanup_free_ char *text = host_read(host, row->argument);
        uint64_t value;

        return text && parse_u64(string_strip(text), &value) >= 0 && value > 0;
}

static bool probe_yes(const Host *host, const Row *row, char reason[static CAPABILITY_REASON_SIZE]) {
        _cleanup_free_ char *text = host_read(host, row->argument);
        bool on;

        return text && parse_boolean(string_strip(text), &on) >= 0 && on;
}

/* Whether a file has a word, words being what white space separates. */
static bool host_has_word(const Host *host, const char *name, const char *word) {
        _cleanup_free_ char *text = host_read(host, name);
        size_t length;

        for (const char *s = text; s && *s != '\0'; s += length) {
                s += strspn(s, WHITESPACE);
                length = strcspn(s, WHITESPACE);
                if (length == strlen(word) && strncmp(s, word, length) == 0)
                        return true;
        }

        return false;
}

static bool probe_controller(const Host *host, const Row *row, char reason[static CAPABILITY_REASON_SIZE]) {
        return host_has_word(host, "sys/fs/cgroup/cgroup.controllers", row->argument);
}

static bool probe_file_system(const Host *host, const Row *row, char reason[static CAPABILITY_REASON_SIZE]) {
        return host_has_word(host, "proc/filesystems", row->argument);
}

/* Whether a file system can be mounted with mapped ids shows only when it is done, for which rights are needed. */
static bool probe_idmap(const Host *host, const Row *row, char reason[static CAPABILITY_REASON_SIZE]) {
        static const uint32_t known[] = { EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC,
                                          MSDOS_SUPER_MAGIC };
        _cleanup_close_ int fd = openat(host->root_fd, DATA_DIRECTORY, O_PATH | O_DIRECTORY | O_CLOEXEC);
        struct statfs fs;

        if (fd < 0 || fstatfs(fd, &fs) < 0) {
                (void) snprintf(reason, CAPABILITY_REASON_SIZE, "There is no /%s", DATA_DIRECTORY);
                return false;
        }
        for (size_t i = 0; i < ELEMENTSOF(known); i++)
                if ((uint32_t) fs.f_type == known[i])
                        return true;

        return false;
}

static bool probe_bus_name(const Host *host, const Row *row, char reason[static CAPABILITY_REASON_SIZE]) {
        if (!host->facts->known) {
                (void) snprintf(reason, CAPABILITY_REASON_SIZE, "The bus has not answered yet");
                return false;
        }

        return streq(row->argument, POLKIT) ? host->facts->polkit : host->facts->machined;
}

/* The number that a version begins with, as in "252.39-1~deb12u2". */
static bool probe_systemd(const Host *host, const Row *row, char reason[static CAPABILITY_REASON_SIZE]) {
        char number[sizeof host->facts->systemd];
        uint64_t version;

        (void) snprintf(number, sizeof number, "%s", host->facts->systemd);
        number[strspn(number, "0123456789")] = '\0';
        if (parse_u64(number, &version) < 0) {
                (void) snprintf(reason, CAPABILITY_REASON_SIZE, "It has not told its version yet");
                return false;
        }
        if (version < SYSTEMD_OLDEST)
                (void) snprintf(reason, CAPABILITY_REASON_SIZE, "It is version %s, and %d is the oldest that will do",
                                number, SYSTEMD_OLDEST);

        return version >= SYSTEMD_OLDEST;
}

/* clang-format off */
#define NO_CONTROLLER "The controller is not in the unified hierarchy: it is off, or belongs to one of version 1"
#define NO_IDMAP "It cannot be seen from here whether the file system of /" DATA_DIRECTORY " supports it"
#define NO_KVM "The processor or the kernel has no virtualization, or the driver is not loaded"
#define NO_OVERLAY "The file system is not in the kernel; a module may be loaded when it is mounted"
#define NO_DRIVER "The driver is not loaded; it may be when its device is opened"

/* The interface file documents each. */
static const Row rows[] = {
        { "apparmor",         probe_yes,         "sys/module/apparmor/parameters/enabled", "It is not in the kernel, or switched off" },
        { "apparmor-parser",  probe_file,        "usr/sbin/apparmor_parser",               "The program apparmor_parser is not installed" },
        { "cgroup-cpu",       probe_controller,  "cpu",                                    NO_CONTROLLER },
        { "cgroup-cpuset",    probe_controller,  "cpuset",                                 NO_CONTROLLER },
        { "cgroup-freezer",   probe_file,        "sys/fs/cgroup/init.scope/cgroup.freeze", "Control groups have no file cgroup.freeze" },
        { "cgroup-io",        probe_controller,  "io",                                     NO_CONTROLLER },
        { "cgroup-kill",      probe_file,        "sys/fs/cgroup/init.scope/cgroup.kill",   "Control groups have no file cgroup.kill" },
        { "cgroup-memory",    probe_controller,  "memory",                                 NO_CONTROLLER },
        { "cgroup-pids",      probe_controller,  "pids",                                   NO_CONTROLLER },
        { "cgroup-v2",        probe_file,        "sys/fs/cgroup/cgroup.controllers",       "/sys/fs/cgroup is not the unified hierarchy" },
        { "fuse",             probe_file,        "sys/class/misc/fuse",                    NO_DRIVER },
        { "idmapped-mounts",  probe_idmap,       NULL,                                     NO_IDMAP },
        { "kvm",              probe_file,        "sys/class/misc/kvm",                     NO_KVM },
        { "loop-devices",     probe_file,        "sys/class/misc/loop-control",            NO_DRIVER },
        { "machined",         probe_bus_name,    MACHINED,                                 "systemd-machined is not installed" },
        { "overlay",          probe_file_system, "overlay",                                NO_OVERLAY },
        { "polkit",           probe_bus_name,    POLKIT,                                   "polkit is not installed: nobody but root can be allowed anything" },
        { "pressure",         probe_readable,    "proc/pressure/memory",                   "The kernel does not measure it: it is off, or is with psi=1 only" },
        { "seccomp",          probe_readable,    "proc/sys/kernel/seccomp/actions_avail",  "The kernel has no filters for system calls" },
        { "selinux",          probe_file,        "sys/fs/selinux/enforce",                 "It is not in the kernel, or switched off" },
        { "systemd",          probe_systemd,     NULL,                                     NULL },
        { "time-namespaces",  probe_link,        "proc/self/ns/time",                      "The kernel has none" },
        { "tun",              probe_file,        "sys/class/misc/tun",                     NO_DRIVER },
        { "user-namespaces",  probe_positive,    "proc/sys/user/max_user_namespaces",      "The sysctl user.max_user_namespaces is 0, or the kernel has none" },
};
/* clang-format on */
_Static_assert(ELEMENTSOF(rows) <= CAPABILITIES_MAX, "CAPABILITIES_MAX is too small");

size_t capabilities_probe(int root_fd, const BusFacts *facts, Capability ret[static CAPABILITIES_MAX]) {
        Host host = { .root_fd = root_fd, .facts = facts };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const Row *row = &rows[i];
                Capability *one = &ret[i];

                one->word = row->word;
                one->reason[0] = '\0';
                if (!row->probe(&host, row, one->reason) && one->reason[0] == '\0')
                        (void) snprintf(one->reason, sizeof one->reason, "%s", row->reason);
        }

        return ELEMENTSOF(rows);
}

static int append_one(sd_bus_message *reply, const Capability *one) {
        if (one->reason[0] == '\0')
                return sd_bus_message_append(reply, "{sv}", one->word, "b", true);

        return sd_bus_message_append(reply, "{sv}", one->word, "s", one->reason);
}

int capabilities_append(const Capabilities *capabilities, sd_bus_message *reply) {
        _cleanup_close_ int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        Capability list[CAPABILITIES_MAX];
        size_t n;
        int r;

        if (root_fd < 0)
                return -errno;

        n = capabilities_probe(root_fd, &capabilities->facts, list);
        r = sd_bus_message_open_container(reply, 'a', "{sv}");
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = append_one(reply, &list[i]);
        if (r < 0)
                return r;

        return sd_bus_message_close_container(reply);
}

/* The names that are there, or can be started. */
static int on_names(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        BusFacts *facts = userdata;
        const char *name;

        if (sd_bus_message_is_method_error(reply, NULL) || sd_bus_message_enter_container(reply, 'a', "s") < 0)
                return 0;

        while (sd_bus_message_read(reply, "s", &name) > 0) {
                facts->polkit = facts->polkit || streq(name, POLKIT);
                facts->machined = facts->machined || streq(name, MACHINED);
        }
        facts->known = true;

        return 0;
}

static int on_version(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        BusFacts *facts = userdata;
        const char *version;

        if (!sd_bus_message_is_method_error(reply, NULL) && sd_bus_message_read(reply, "v", "s", &version) > 0)
                (void) snprintf(facts->systemd, sizeof facts->systemd, "%s", version);

        return 0;
}

static int ask(Capabilities *capabilities, sd_bus *bus) {
        static const char driver[] = "org.freedesktop.DBus";
        int r;

        r = sd_bus_call_method_async(bus, &capabilities->slots[0], driver, "/org/freedesktop/DBus", driver,
                                     "ListActivatableNames", on_names, &capabilities->facts, NULL);
        if (r < 0)
                return r;
        r = sd_bus_call_method_async(bus, &capabilities->slots[1], driver, "/org/freedesktop/DBus", driver, "ListNames",
                                     on_names, &capabilities->facts, NULL);
        if (r < 0)
                return r;

        return sd_bus_call_method_async(bus, &capabilities->slots[2], "org.freedesktop.systemd1",
                                        "/org/freedesktop/systemd1", "org.freedesktop.DBus.Properties", "Get",
                                        on_version, &capabilities->facts, "ss", "org.freedesktop.systemd1.Manager",
                                        "Version");
}

int capabilities_new(sd_bus *bus, Capabilities **ret) {
        _cleanup_(capabilities_freep) Capabilities *capabilities = calloc(1, sizeof *capabilities);
        int r;

        if (!capabilities)
                return -ENOMEM;
        r = ask(capabilities, bus);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(capabilities);

        return 0;
}

Capabilities *capabilities_free(Capabilities *capabilities) {
        if (!capabilities)
                return NULL;

        for (size_t i = 0; i < ELEMENTSOF(capabilities->slots); i++)
                sd_bus_slot_unref(capabilities->slots[i]);
        free(capabilities);

        return NULL;
}
