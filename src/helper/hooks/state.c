/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/hooks/state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/weaken.h"
#include "helper/process/environment.h"
#include "spec/hook.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define HOOK_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

const char *hook_root_path(const Definition *definition, char buffer[static HOOK_ROOT_SIZE]) {
        if (!definition->managed)
                return definition->root_image
                                       ?: definition_descriptor(definition->root_path)
                                          ? NULL
                                          : definition->root_path;

        (void) snprintf(buffer, HOOK_ROOT_SIZE, STORE_IMAGES "/%s.raw", definition->name);
        if (access(buffer, F_OK) < 0)
                (void) snprintf(buffer, HOOK_ROOT_SIZE, STORE_ROOTS "/%s", definition->name);
        return buffer;
}

/* In the order of HookNamespaces. */
static const struct {
        const char *name, *variable;
} namespaces[HOOK_NAMESPACES] = {
        {"mnt",     "LXC_MNT_NS"   },
        { "pid",    "LXC_PID_NS"   },
        { "uts",    "LXC_UTS_NS"   },
        { "ipc",    "LXC_IPC_NS"   },
        { "net",    "LXC_NET_NS"   },
        { "cgroup", "LXC_CGROUP_NS"},
        { "user",   "LXC_USER_NS"  },
};

int hook_namespaces_open(pid_t pid, HookNamespaces *ret) {
        _cleanup_(hook_namespaces_done) HookNamespaces found = HOOK_NAMESPACES_NULL;

        for (size_t i = 0; i < HOOK_NAMESPACES; i++) {
                struct stat own, other;
                char path[64];

                (void) snprintf(path, sizeof path, "/proc/self/ns/%s", namespaces[i].name);
                if (stat(path, &own) < 0)
                        return -errno;
                (void) snprintf(path, sizeof path, "/proc/%d/ns/%s", (int) pid, namespaces[i].name);
                found.fds[i] = open(path, O_RDONLY | O_CLOEXEC);
                if (found.fds[i] < 0 || fstat(found.fds[i], &other) < 0)
                        return -errno;
                if (own.st_dev == other.st_dev && own.st_ino == other.st_ino)
                        found.fds[i] = fd_close(found.fds[i]);
        }

        *ret = found;
        found = HOOK_NAMESPACES_NULL;
        return 0;
}

void hook_namespaces_done(HookNamespaces *found) {
        for (size_t i = 0; i < HOOK_NAMESPACES; i++)
                found->fds[i] = fd_close(found->fds[i]);
}

/* False if there is none. */
static bool namespace_path(const HookFacts *facts, size_t i, char path[static 64]) {
        if (!facts->namespaces || facts->namespaces->fds[i] < 0)
                return false;

        (void) snprintf(path, 64, "/proc/%d/fd/%d", (int) getpid(), facts->namespaces->fds[i]);
        return true;
}

static void print_namespaces(FILE *stream, const HookFacts *facts) {
        const char *separator = "";
        char path[64];

        if (!facts->namespaces) {
                (void) fputs(",\"namespaces\":null", stream);
                return;
        }

        (void) fputs(",\"namespaces\":{", stream);
        for (size_t i = 0; i < HOOK_NAMESPACES; i++)
                if (namespace_path(facts, i, path)) {
                        (void) fprintf(stream, "%s\"%s\":\"%s\"", separator, namespaces[i].name, path);
                        separator = ",";
                }
        (void) fputc('}', stream);
}

/* Texts of a definition are UTF-8 without control characters; paths need not be. */
static void print_string(FILE *stream, const char *text) {
        (void) fputc('"', stream);
        for (const char *p = text; *p; p++) {
                if (*p == '"' || *p == '\\')
                        (void) fputc('\\', stream);
                if ((unsigned char) *p < 0x20)
                        (void) fprintf(stream, "\\u%04x", (unsigned) *p);
                else
                        (void) fputc(*p, stream);
        }
        (void) fputc('"', stream);
}

static void print_pair(FILE *stream, const char *key, const char *value) {
        (void) fprintf(stream, ",\"%s\":", key);
        if (value)
                print_string(stream, value);
        else
                (void) fputs("null", stream);
}

static void print_ids(FILE *stream, const HookFacts *facts) {
        static const char *const kinds[] = {
                [ID_UID] = "uid", [ID_GID] = "gid", [ID_UID | ID_GID] = "both"
        };

        (void) fputs(",\"ids\":", stream);
        if (!facts->ids || !facts->definition->user_namespace) {
                (void) fputs("null", stream);
                return;
        }

        (void) fputc('[', stream);
        for (size_t i = 0; i < facts->ids->n; i++) {
                const IdRange *range = facts->ids->ranges + i;

                (void) fprintf(stream,
                               "%s{\"kind\":\"%s\",\"inside\":%" PRIu32 ",\"outside\":%" PRIu32
                               ",\"count\":%" PRIu32 "}",
                               i > 0 ? "," : "", kinds[range->kinds], range->inside, range->outside,
                               range->count);
        }
        (void) fputc(']', stream);
}

/* The file that defines the container; NULL if it came as a text. */
static const char *definition_file(const HookFacts *facts) {
        const Definition *definition = facts->definition;

        if (facts->inside)
                return NULL;
        return definition->n_files > 0 && definition->files[0][0] == '/' ? definition->files[0] : NULL;
}

static void print_state(FILE *stream, const HookFacts *facts, HookKind kind) {
        char unit[UNIT_NAME_SIZE];

        unit_name(facts->kind, facts->definition->name, unit);
        (void) fputs("{\"version\":1", stream);
        print_pair(stream, "hook", hook_name(kind));
        print_pair(stream, "name", facts->definition->name);
        print_pair(stream, "unit", facts->inside ? NULL : unit);
        print_pair(stream, "definition", definition_file(facts));
        print_pair(stream, "root", facts->root);
        print_pair(stream, "mount", facts->mount);
        print_pair(stream, "machine_id", facts->machine_id);
        print_ids(stream, facts);
        print_pair(stream, "target", facts->target);
        print_pair(stream, "result", facts->result);
        print_pair(stream, "exit_code", facts->exit_code);
        print_pair(stream, "exit_status", facts->exit_status);
        print_namespaces(stream, facts);
        if (facts->pid > 0)
                (void) fprintf(stream, ",\"pid\":%d}\n", (int) facts->pid);
        else
                (void) fputs(",\"pid\":null}\n", stream);
}

int hook_state_open(const HookFacts *facts, HookKind kind, int *ret_fd) {
        _cleanup_free_ char *text = NULL;
        _cleanup_close_ int fd = -EBADF;
        size_t size = 0;
        FILE *stream;
        int r;

        stream = open_memstream(&text, &size);
        if (!stream)
                return -ENOMEM;
        print_state(stream, facts, kind);
        if (fclose(stream) != 0)
                return -ENOMEM;

        fd = memfd_create("berth-hook", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0)
                return -errno;
        r = fd_write_all(fd, text, size);
        if (r < 0)
                return r;
        if (fcntl(fd, F_ADD_SEALS, SEALS) < 0 || lseek(fd, 0, SEEK_SET) < 0)
                return -errno;

        *ret_fd = TAKE_FD(fd);
        return 0;
}

int hook_environment(const HookFacts *facts, HookKind kind, Environment *ret) {
        char pid[16] = "", path[64];
        const char *const variables[][2] = {
                {"PATH",              HOOK_PATH                  },
                { "LXC_NAME",         facts->definition->name    },
                { "LXC_HOOK_TYPE",    hook_name(kind)            },
                { "LXC_HOOK_SECTION", "lxc"                      },
                { "LXC_HOOK_VERSION", "1"                        },
                { "LXC_CONFIG_FILE",  definition_file(facts)     },
                { "LXC_ROOTFS_PATH",  facts->root                },
                { "LXC_ROOTFS_MOUNT", facts->mount               },
                { "LXC_PID",          facts->pid > 0 ? pid : NULL},
                { "LXC_TARGET",       facts->target              },
        };
        Environment environment = ENVIRONMENT_NULL;
        int r = 0;

        (void) snprintf(pid, sizeof pid, "%d", (int) facts->pid);
        for (size_t i = 0; i < ELEMENTSOF(variables) && r >= 0; i++)
                if (variables[i][1])
                        r = environment_set(&environment, variables[i][0], variables[i][1]);
        for (size_t i = 0; weakened(WEAKEN_HOOK_ENV) && i < facts->definition->n_environment && r >= 0; i++)
                r = environment_set(
                                &environment, facts->definition->environment[i].key,
                                facts->definition->environment[i].value);
        for (size_t i = 0; i < HOOK_NAMESPACES && r >= 0; i++)
                if (namespace_path(facts, i, path))
                        r = environment_set(&environment, namespaces[i].variable, path);
        if (r < 0) {
                environment_done(&environment);
                return r;
        }

        *ret = environment;
        return 0;
}
