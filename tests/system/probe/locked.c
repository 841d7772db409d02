/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE 1
#include "locked.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOUNTS_MAX 256
#define SCRATCH "/dev/shm/probe" /* every container can write there */

typedef struct Mount {
        char path[256];
        char options[256];
        char type[32];
} Mount;

static const struct {
        const char *name;
        unsigned long flag;
        uint64_t attribute;
        uint64_t also_clear;
} restrictions[] = { /* but not nosymfollow: the kernel has no lock for it */
        { "ro", MS_RDONLY, MOUNT_ATTR_RDONLY, 0 },
        { "nosuid", MS_NOSUID, MOUNT_ATTR_NOSUID, 0 },
        { "nodev", MS_NODEV, MOUNT_ATTR_NODEV, 0 },
        { "noexec", MS_NOEXEC, MOUNT_ATTR_NOEXEC, 0 },
        { "noatime", MS_NOATIME, 0, MOUNT_ATTR__ATIME },
};
#define N_RESTRICTIONS (sizeof restrictions / sizeof restrictions[0])

static Mount mounts[MOUNTS_MAX];
static size_t n_mounts;
static bool own_ids;   /* whose superblocks it tries to change would be the host's without them */
static int whole = -1; /* a copy of all mounts */

static bool has_option(const char *options, const char *name) {
        size_t n = strlen(name);

        for (const char *p = options; p; p = strchr(p, ',')) {
                p += *p == ',';
                if (strncmp(p, name, n) == 0 && (p[n] == ',' || p[n] == '\0'))
                        return true;
        }
        return false;
}

static size_t read_mounts(Mount *list) {
        FILE *f = fopen("/proc/self/mountinfo", "re");
        char line[4096];
        size_t n = 0;

        while (f && n < MOUNTS_MAX && fgets(line, sizeof line, f)) {
                const char *dash = strstr(line, " - ");

                if (sscanf(line, "%*d %*d %*s %*s %255s %255s", list[n].path, list[n].options) == 2 && dash &&
                    sscanf(dash, " - %31s", list[n].type) == 1)
                        n++;
        }
        if (f)
                fclose(f);
        return n;
}

static void tell(const char *path, const char *way, const char *what, long r) {
        printf("attempt=%s %s%s%s %s\n", path, way, *what ? "-" : "", what, r < 0 ? strerrorname_np(errno) : "ok");
}

static bool is_directory(const Mount *m) {
        struct stat st;

        return (stat(m->path, &st) < 0 && lstat(m->path, &st) < 0) || S_ISDIR(st.st_mode);
}

static unsigned long flags_of(const Mount *m) {
        unsigned long flags = 0;

        for (size_t i = 0; i < N_RESTRICTIONS; i++)
                if (has_option(m->options, restrictions[i].name))
                        flags |= restrictions[i].flag;
        if (has_option(m->options, "relatime"))
                flags |= MS_RELATIME;
        if (has_option(m->options, "nosymfollow"))
                flags |= MS_NOSYMFOLLOW;
        return flags;
}

/* A copy by mount(2), which then is somewhere else and no copy of a copy. */
static void try_clear_of_bind(const Mount *m, const char *name, unsigned long rest) {
        const char *place = is_directory(m) ? SCRATCH : SCRATCH "-file";

        if (mount(m->path, place, NULL, MS_BIND | MS_REC, NULL) < 0)
                return;
        tell(m->path, "bind-remount", name, mount(NULL, place, NULL, MS_REMOUNT | MS_BIND | rest, NULL));
        (void) umount2(place, MNT_DETACH);
}

/* The file system itself, for all of its mounts. That of a namespace of the container's is the container's to change;
 * the mount has to stay as it is. */
static void try_superblock(const Mount *m, const char *name, unsigned long rest) {
        struct statvfs vfs;
        long r;
        int fd;

        if (!own_ids)
                return;
        tell(m->path, "remount", name, mount(NULL, m->path, NULL, MS_REMOUNT | rest, NULL));
        if (strcmp(name, "ro") != 0)
                return;
        fd = fspick(AT_FDCWD, m->path, FSPICK_CLOEXEC);
        r = fd < 0 || fsconfig(fd, FSCONFIG_SET_FLAG, "rw", NULL, 0) < 0 ?
                    -1 :
                    fsconfig(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
        if (r == 0 && statvfs(m->path, &vfs) == 0 && (vfs.f_flag & ST_RDONLY)) {
                errno = EROFS;
                r = -1;
        }
        tell(m->path, "reconfigure", name, r);
        if (fd >= 0)
                (void) close(fd);
}

/* Clears one flag of one mount in all ways there are. */
static void try_clear(const Mount *m, size_t which) {
        const char *name = restrictions[which].name;
        struct mount_attr clear = {
                .attr_clr = restrictions[which].attribute | restrictions[which].also_clear,
        };
        unsigned long rest = flags_of(m) & ~restrictions[which].flag;
        int tree;

        /* A remount that says nothing about times leaves them as they are. */
        if (restrictions[which].flag == MS_NOATIME)
                rest |= MS_STRICTATIME;

        tell(m->path, "remount-bind", name, mount(NULL, m->path, NULL, MS_REMOUNT | MS_BIND | rest, NULL));
        tell(m->path, "setattr", name, mount_setattr(AT_FDCWD, m->path, 0, &clear, sizeof clear));
        tell(m->path, "setattr-recursive", name,
             mount_setattr(AT_FDCWD, m->path, AT_RECURSIVE, &clear, sizeof clear));

        /* A copy of the mount has to keep what its original has. */
        tree = open_tree(AT_FDCWD, m->path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
        if (tree >= 0) {
                tell(m->path, "clone-setattr", name, mount_setattr(tree, "", AT_EMPTY_PATH, &clear, sizeof clear));
                tell(m->path, "clone-setattr-recursive", name,
                     mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &clear, sizeof clear));
                (void) close(tree);
        }
        tell(m->path, "in-clone-setattr", name,
             mount_setattr(whole, m->path[1] ? m->path + 1 : "", AT_EMPTY_PATH, &clear, sizeof clear));
        try_clear_of_bind(m, name, rest);
        try_superblock(m, name, rest);
}

/* Takes a mount away, or shows what it hides. */
static void try_uncover(const Mount *m) {
        struct stat st;
        int tree;

        if (stat(m->path, &st) < 0 && lstat(m->path, &st) < 0)
                return;

        tell(m->path, "umount", "", umount2(m->path, 0));
        tell(m->path, "umount-detach", "", umount2(m->path, MNT_DETACH));
        tell(m->path, "umount-force", "", umount2(m->path, MNT_FORCE));
        if (S_ISDIR(st.st_mode))
                tell(m->path, "move", "", mount(m->path, SCRATCH, NULL, MS_MOVE, NULL));

        tree = open_tree(AT_FDCWD, m->path, OPEN_TREE_CLOEXEC);
        if (tree >= 0) {
                tell(m->path, "move-by-fd", "",
                     move_mount(tree, "", AT_FDCWD, S_ISDIR(st.st_mode) ? SCRATCH : SCRATCH "-file",
                                MOVE_MOUNT_F_EMPTY_PATH));
                (void) close(tree);
        }
}

/* A bind that leaves out what is mounted below shows what lies under it. */
static void try_shallow(const char *path) {
        bool parent = false;
        size_t n = strlen(path);
        int tree;

        for (size_t i = 0; i < n_mounts; i++)
                parent = parent || (strncmp(mounts[i].path, path, n) == 0 &&
                                    (n == 1 ? mounts[i].path[1] : mounts[i].path[n] == '/'));
        if (!parent)
                return;

        tell(path, "bind-shallow", "", mount(path, SCRATCH, NULL, MS_BIND, NULL));
        tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        tell(path, "clone-shallow", "", tree);
        if (tree >= 0)
                (void) close(tree);
}

/* New instances of the kernel's file systems would show what the masks cover. */
static void try_fresh(void) {
        (void) mkdir(SCRATCH, 0755);
        tell("/proc", "fresh", "proc", mount("proc", SCRATCH, "proc", 0, NULL));
        tell("/sys", "fresh", "sysfs", mount("sysfs", SCRATCH, "sysfs", 0, NULL));
}

/* What has to work, so that the refusals of the others mean something: a mount of the container's own is its own. */
static void try_own(void) {
        unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV;
        struct mount_attr clear = { .attr_clr = MOUNT_ATTR_NODEV };
        int fd;

        tell("own", "mount", "tmpfs", mount("tmpfs", SCRATCH, "tmpfs", flags, NULL));
        tell("own", "remount", "rw", mount(NULL, SCRATCH, NULL, MS_REMOUNT | MS_BIND | MS_NODEV, NULL));
        tell("own", "setattr", "nodev", mount_setattr(AT_FDCWD, SCRATCH, 0, &clear, sizeof clear));
        fd = fspick(AT_FDCWD, SCRATCH, FSPICK_CLOEXEC);
        (void) fsconfig(fd, FSCONFIG_SET_FLAG, "rw", NULL, 0);
        tell("own", "reconfigure", "rw", fsconfig(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
        (void) close(fd);
        tell("own", "umount", "", umount2(SCRATCH, 0));
}

static void try_everything(void) {
        try_own();
        whole = open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
        for (size_t i = 0; i < n_mounts; i++) {
                for (size_t j = 0; j < N_RESTRICTIONS; j++)
                        if (has_option(mounts[i].options, restrictions[j].name))
                                try_clear(&mounts[i], j);
                try_uncover(&mounts[i]);
                try_shallow(mounts[i].path);
        }
        try_fresh();
}

/* In a process of its own, so that what an attempt did is not in the way of the next. */
static void try_in(const char *where, int namespaces) {
        static Mount after[MOUNTS_MAX];
        int status;
        pid_t pid;

        printf("where=%s\n", where);
        fflush(stdout);
        pid = fork();
        if (pid == 0) {
                size_t n;

                if (namespaces && unshare(namespaces) < 0) {
                        printf("unshare=%s %s\n", where, strerrorname_np(errno));
                        fflush(stdout);
                        _exit(0);
                }
                try_everything();
                n = read_mounts(after);
                if (n != n_mounts)
                        printf("changed=%s: %zu mounts before, %zu after\n", where, n_mounts, n);
                for (size_t i = 0; i < n && i < n_mounts; i++)
                        if (strcmp(after[i].path, mounts[i].path) != 0 ||
                            strcmp(after[i].options, mounts[i].options) != 0)
                                printf("changed=%s: %s %s, was %s %s\n", where, after[i].path, after[i].options,
                                       mounts[i].path, mounts[i].options);
                fflush(stdout);
                _exit(0);
        }
        (void) waitpid(pid, &status, 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                printf("died=%s %d\n", where, status);
}

void locked_try_all(void) {
        int fd, zero, first;
        long count;
        FILE *f = fopen("/proc/self/uid_map", "re");

        own_ids = f && fscanf(f, "%d %d %ld", &zero, &first, &count) == 3 && first != 0;
        if (f)
                fclose(f);
        (void) mkdir(SCRATCH, 0755);
        fd = open(SCRATCH "-file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (fd >= 0)
                (void) close(fd);
        n_mounts = read_mounts(mounts);
        for (size_t i = 0; i < n_mounts; i++)
                printf("restricted=%s %s %s\n", mounts[i].path, mounts[i].type, mounts[i].options);

        try_in("the container", 0);
        try_in("a mount namespace inside", CLONE_NEWNS);
        try_in("a user namespace inside", CLONE_NEWUSER | CLONE_NEWNS);
        printf("tried=all\n");
}
