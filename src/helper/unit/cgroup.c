/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/unit/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/string.h"
#include "basic/weaken.h"
#include "spec/limits.h"

#define ATTRIBUTE_MAX (64 * 1024)
/* How deep, and how many, a guest may make; systemd in a container in a container in a container needs about 30. */
#define DEPTH_LIMIT "128"
#define DESCENDANTS_LIMIT "16384"
#define DEPTH_MAX 256

/* The path behind "0::" in a process's /proc/PID/cgroup. */
static int cgroup_path_of(const char *process, char **ret) {
        _cleanup_free_ char *text = NULL, *file = NULL;
        char *line, *end;
        int r;

        if (asprintf(&file, "/proc/%s/cgroup", process) < 0)
                return -ENOMEM;
        r = file_read(AT_FDCWD, file, ATTRIBUTE_MAX, &text, NULL);
        if (r < 0)
                return r;

        line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
        if (!line)
                return -ENOTSUP;

        line += line[0] == '\n' ? 4 : 3;
        end = strchrnul(line, '\n');
        *end = '\0';

        *ret = strdup(line);
        return *ret ? 0 : -ENOMEM;
}

/* The unit's path and whether this process is in launch/. systemd runs ExecStop= in a cgroup beside it, .control. */
static int cgroup_unit_path(char **ret, bool *ret_inside) {
        _cleanup_free_ char *path = NULL;
        char *slash;
        bool inside = false;
        int r;

        r = cgroup_path_of("self", &path);
        if (r < 0)
                return r;

        slash = strrchr(path, '/');
        if (slash && (strcmp(slash + 1, CGROUP_LAUNCH) == 0 || strcmp(slash + 1, ".control") == 0)) {
                inside = slash[1] != '.';
                *slash = '\0';
        }

        if (asprintf(ret, CGROUP_ROOT "%s", path) < 0)
                return -ENOMEM;
        if (ret_inside)
                *ret_inside = inside;

        return 0;
}

int cgroup_check_process(pid_t pid) {
        _cleanup_free_ char *unit = NULL, *path = NULL;
        char process[16];
        const char *rest;
        int r;

        r = cgroup_unit_path(&unit, NULL);
        if (r < 0)
                return r;
        (void) snprintf(process, sizeof process, "%d", (int) pid);
        r = cgroup_path_of(process, &path);
        if (r < 0)
                return r == -ENOENT ? -ESRCH : r;

        rest = string_after_prefix(path, unit + strlen(CGROUP_ROOT));
        return rest && (!*rest || *rest == '/') ? 0 : -ESRCH;
}

UnitKind cgroup_unit_kind(void) {
        _cleanup_free_ char *path = NULL;
        char name[NAME_MAX_LENGTH + 1];
        UnitKind kind;

        if (cgroup_unit_path(&path, NULL) < 0 ||
            unit_name_parse(strrchr(path, '/') + 1, &kind, name, sizeof name) < 0)
                return UNIT_DEFINED;

        return kind;
}

int cgroup_open_unit(int *ret_fd) {
        _cleanup_free_ char *path = NULL;
        int fd, r;

        r = cgroup_unit_path(&path, NULL);
        if (r < 0)
                return r;
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;

        *ret_fd = fd;
        return 0;
}

int cgroup_launch_path(char **ret) {
        _cleanup_free_ char *unit = NULL;
        int r;

        r = cgroup_unit_path(&unit, NULL);
        if (r < 0)
                return r;

        return asprintf(ret, "%s/" CGROUP_LAUNCH, unit) < 0 ? -ENOMEM : 0;
}

/* Removes a tree of empty cgroups. Names come from a guest, but nothing but rmdir(2) is done with them. */
static int cgroup_remove(int parent, const char *name, unsigned depth) {
        _cleanup_closedir_ DIR *directory = NULL;
        int fd;

        if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
                return 0;
        if (errno != EBUSY && errno != ENOTEMPTY)
                return -errno;
        if (depth >= DEPTH_MAX)
                return -ELOOP;

        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        directory = fdopendir(fd);
        if (!directory) {
                (void) close(fd);
                return -ENOMEM;
        }

        for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
                int r;

                if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
                        continue;
                r = cgroup_remove(dirfd(directory), entry->d_name, depth + 1);
                if (r < 0)
                        return r;
        }

        return unlinkat(parent, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

/* Enables in the unit's cgroup what controllers it has, so that payload/ can use them. */
static int cgroup_enable_controllers(int unit) {
        _cleanup_free_ char *controllers = NULL;
        char *save = NULL, text[64];
        int r;

        r = file_read(unit, "cgroup.controllers", ATTRIBUTE_MAX, &controllers, NULL);
        if (r < 0)
                return r;

        /* One by one: a controller that this kernel cannot enable here must not keep the others off. */
        for (char *word = strtok_r(controllers, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
                if (snprintf(text, sizeof text, "+%s", word) >= (int) sizeof text)
                        continue;
                r = file_write(unit, "cgroup.subtree_control", text);
                if (r < 0 && r != -EINVAL && r != -ENOENT && r != -EOPNOTSUPP)
                        return r;
        }

        return 0;
}

/* Moving is cheap only right after systemd's own move of this process: the kernel waits for a grace period when no
 * cgroup.procs was written for a while. systemd 254 and later starts us in launch/ already. */
static int cgroup_enter_launch(Cgroup *cgroup) {
        _cleanup_free_ char *path = NULL;
        struct statfs fs;
        bool inside;
        int r;

        r = cgroup_unit_path(&path, &inside);
        if (r < 0)
                return r;

        cgroup->unit = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (cgroup->unit < 0)
                return errno == ENOENT ? -ENOTSUP : -errno;
        if (fstatfs(cgroup->unit, &fs) < 0)
                return -errno;
        if (fs.f_type != CGROUP2_SUPER_MAGIC)
                return -ENOTSUP;

        if (!inside && mkdirat(cgroup->unit, CGROUP_LAUNCH, 0755) < 0 && errno != EEXIST)
                return -errno;

        cgroup->launch = openat(cgroup->unit, CGROUP_LAUNCH, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (cgroup->launch < 0)
                return -errno;

        return inside ? 0 : file_write(cgroup->launch, "cgroup.procs", "0");
}

int cgroup_setup(Cgroup *cgroup) {
        int r;

        *cgroup = CGROUP_NULL;

        r = cgroup_enter_launch(cgroup);
        if (r < 0)
                return r;

        r = cgroup_enable_controllers(cgroup->unit);
        if (r < 0)
                return r;

        /* What a guest left behind at its reboot is removed and not used again: a cgroup that was once killed with
         * cgroup.kill kills whoever is cloned into it (seen on Linux 6.12 and 6.18). */
        if (mkdirat(cgroup->unit, CGROUP_PAYLOAD, 0755) < 0) {
                if (errno != EEXIST)
                        return -errno;

                r = cgroup_remove(cgroup->unit, CGROUP_PAYLOAD, 0);
                if (r < 0)
                        return r;
                if (mkdirat(cgroup->unit, CGROUP_PAYLOAD, 0755) < 0)
                        return -errno;
        }

        cgroup->payload = openat(cgroup->unit, CGROUP_PAYLOAD, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (cgroup->payload < 0)
                return -errno;

        /* The files stay the host's: a guest cannot build what nobody could clear away. */
        r = file_write(cgroup->payload, "cgroup.max.depth", DEPTH_LIMIT);
        if (r < 0)
                return r;
        return file_write(cgroup->payload, "cgroup.max.descendants", DESCENDANTS_LIMIT);
}

int cgroup_reopen(Cgroup *cgroup) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = cgroup_unit_path(&path, NULL);
        if (r < 0)
                return r;

        cgroup_done(cgroup);
        cgroup->unit = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (cgroup->unit < 0)
                return -errno;
        cgroup->launch = openat(cgroup->unit, CGROUP_LAUNCH, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        cgroup->payload = openat(cgroup->unit, CGROUP_PAYLOAD, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return cgroup->launch < 0 || cgroup->payload < 0 ? -errno : 0;
}

/* Waits until no process is left. The kernel tells of a change of the file. */
static int cgroup_wait_empty(int cgroup) {
        _cleanup_close_ int events = -EBADF;

        events = openat(cgroup, "cgroup.events", O_RDONLY | O_CLOEXEC);
        if (events < 0)
                return -errno;

        for (;;) {
                struct pollfd p = { .fd = events, .events = POLLPRI };
                char text[256];
                ssize_t n;

                n = pread(events, text, sizeof text - 1, 0);
                if (n < 0)
                        return -errno;
                text[n] = '\0';
                if (strstr(text, "populated 0"))
                        return 0;
                n = poll(&p, 1, HOOK_KILL_MSEC);
                if (n == 0)
                        return -ETIMEDOUT;
                if (n < 0 && errno != EINTR)
                        return -errno;
        }
}

int cgroup_end_hook(int unit, int hook) {
        int r;

        if (weakened(WEAKEN_HOOK_END))
                return 0;

        r = file_write(hook, "cgroup.kill", "1");
        if (r < 0)
                return r;
        r = cgroup_wait_empty(hook);
        return r < 0 ? r : cgroup_remove(unit, CGROUP_HOOK, 0);
}

/* One of a launcher that was killed may still be on its way out. */
static int cgroup_clear_hook(int unit) {
        _cleanup_close_ int hook = -EBADF;

        hook = openat(unit, CGROUP_HOOK, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (hook < 0)
                return errno == ENOENT ? 0 : -errno;

        return cgroup_end_hook(unit, hook);
}

int cgroup_make_hook(int unit, int *ret_fd) {
        int r;

        /* Anew each time: see above. */
        r = cgroup_clear_hook(unit);
        if (r < 0)
                return r;
        if (mkdirat(unit, CGROUP_HOOK, 0755) < 0 && (errno != EEXIST || !weakened(WEAKEN_HOOK_END)))
                return -errno;

        *ret_fd = openat(unit, CGROUP_HOOK, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return *ret_fd < 0 ? -errno : 0;
}

int cgroup_settle(int unit) {
        _cleanup_close_ int launch = -EBADF;
        _cleanup_free_ char *path = NULL;
        bool inside;
        int r;

        r = cgroup_clear_hook(unit);
        if (r < 0)
                return r;
        r = cgroup_unit_path(&path, &inside);
        if (r < 0 || inside)
                return r;
        launch = openat(unit, CGROUP_LAUNCH, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (launch < 0)
                return errno == ENOENT ? 0 : -errno;

        r = cgroup_wait_empty(launch);
        return r == -ETIMEDOUT ? cgroup_clear_hook(unit) : r;
}

void cgroup_done(Cgroup *cgroup) {
        cgroup->unit = fd_close(cgroup->unit);
        cgroup->launch = fd_close(cgroup->launch);
        cgroup->payload = fd_close(cgroup->payload);
}

int cgroup_delegate(const Cgroup *cgroup, uid_t uid, gid_t gid) {
        _cleanup_free_ char *files = NULL;
        char *save = NULL;
        int r;

        r = file_read(AT_FDCWD, "/sys/kernel/cgroup/delegate", ATTRIBUTE_MAX, &files, NULL);
        if (r < 0)
                return r;

        if (fchown(cgroup->payload, uid, gid) < 0)
                return -errno;

        for (char *file = strtok_r(files, "\n", &save); file; file = strtok_r(NULL, "\n", &save))
                if (fchownat(cgroup->payload, file, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
                        return -errno;

        return 0;
}
