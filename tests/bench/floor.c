/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a container's start costs when nothing but the kernel's work is done: the namespaces, id maps, cgroup and mounts
 * that berth gives a container by default, made in the shortest way, and exec. Nothing is read, checked, locked or
 * told to anybody, and what goes wrong ends the program. Compare berth-helper launch with it, never use it.
 *
 *   floor full|reduced ROOT CGROUP IDS COMMAND [ARGUMENT...]
 *
 * CGROUP is a directory, in which payload/ is made; IDS is the first of 65536 ids. "reduced" mounts the root, /proc,
 * /sys and /dev only.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/macro.h"
#include "basic/syscall.h"

#define HARMLESS (MS_NOSUID | MS_NODEV | MS_NOEXEC)

_noreturn_ static void die(const char *what) {
        (void) fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
        exit(EXIT_FAILURE);
}

static int check(int result, const char *what) {
        if (result < 0)
                die(what);
        return result;
}

/* /dev, outside of any mount namespace: device nodes can be made by the host only. */
static int make_dev(unsigned ids) {
        static const struct {
                const char *name;
                unsigned major, minor;
        } nodes[] = { { "null", 1, 3 }, { "zero", 1, 5 },    { "full", 1, 7 },
                      { "tty", 5, 0 },  { "random", 1, 8 }, { "urandom", 1, 9 } };
        static const char *const links[][2] = {
                { "/proc/self/fd", "fd" },         { "/proc/self/fd/0", "stdin" }, { "/proc/self/fd/1", "stdout" },
                { "/proc/self/fd/2", "stderr" }, { "/proc/kcore", "core" },      { "pts/ptmx", "ptmx" },
        };
        static const char *const directories[] = { "pts", "shm", "mqueue" };
        int context, dev;

        /* What is made belongs to the container's root from the start. */
        (void) prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0UL, 0UL, 0UL);
        (void) setfsgid(ids);
        (void) setfsuid(ids);

        context = check(fsopen("tmpfs", FSOPEN_CLOEXEC), "fsopen");
        check(fsconfig(context, FSCONFIG_SET_STRING, "mode", "0755", 0), "mode");
        check(fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0), "tmpfs");
        dev = check(fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID), "fsmount");

        for (size_t i = 0; i < ELEMENTSOF(nodes); i++)
                check(mknodat(dev, nodes[i].name, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)),
                      nodes[i].name);
        for (size_t i = 0; i < ELEMENTSOF(links); i++)
                check(symlinkat(links[i][0], dev, links[i][1]), links[i][1]);
        for (size_t i = 0; i < ELEMENTSOF(directories); i++)
                check(mkdirat(dev, directories[i], 0755), directories[i]);

        return dev;
}

static void bind(const char *source, const char *target, bool read_only) {
        if (mount(source, target, NULL, MS_BIND, NULL) < 0) {
                if (errno != ENOENT)
                        die(target);
        } else if (read_only)
                check(mount(NULL, target, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | HARMLESS, NULL), target);
}

/* What berth hides in /proc, and what it makes read-only. */
static void mask_proc(void) {
        static const char *const hidden[] = { "proc/kallsyms", "proc/kcore", "proc/keys", "proc/sysrq-trigger",
                                              "proc/timer_list" };
        static const char *const read_only[] = { "proc/acpi", "proc/apm", "proc/asound", "proc/bus", "proc/fs",
                                                 "proc/irq", "proc/scsi" };

        for (size_t i = 0; i < ELEMENTSOF(hidden); i++)
                bind("dev/null", hidden[i], false);
        for (size_t i = 0; i < ELEMENTSOF(read_only); i++)
                bind(read_only[i], read_only[i], true);

        bind("proc/sys", "proc/sys", false);
        bind("proc/sys/net", "proc/sys/net", false);
        check(mount(NULL, "proc/sys", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | HARMLESS, NULL), "proc/sys");
        bind("dev/null", "proc/sys/kernel/random/boot_id", false);
}

/* The working directory is the new root. */
static void mount_all(int dev, bool full) {
        check(move_mount(dev, "", AT_FDCWD, "dev", MOVE_MOUNT_F_EMPTY_PATH), "dev");
        check(mount("proc", "proc", "proc", HARMLESS, NULL), "proc");
        check(mount("sysfs", "sys", "sysfs", MS_RDONLY | HARMLESS, NULL), "sys");
        if (!full)
                return;

        check(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "ptmxmode=0666,mode=0620,gid=5"), "devpts");
        check(mount("tmpfs", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"), "shm");
        check(mount("mqueue", "dev/mqueue", "mqueue", HARMLESS, NULL), "mqueue");
        check(mount("tmpfs", "run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,nr_inodes=800k"), "run");
        check(mkdir("run/host", 0755), "run/host");
        check(mount("tmpfs", "run/host", "tmpfs", MS_RDONLY | HARMLESS, "mode=0755,size=16m"), "run/host");
        mask_proc();
        check(mount("cgroup2", "sys/fs/cgroup", "cgroup2", HARMLESS, NULL), "cgroup");
}

/* Shares its parent's descriptors until it executes, and so gets the root by number. */
_noreturn_ static void run_payload(int go, const char *path, int dev, bool full, char **command) {
        int root;

        if (read(go, &root, sizeof root) != (ssize_t) sizeof root)
                die("the parent is gone");
        check(chdir(path), path); /* as long as this is the host's root */
        check(setresgid(0, 0, 0), "setresgid");
        check(setresuid(0, 0, 0), "setresuid");
        check(unshare(CLONE_NEWCGROUP), "unshare"); /* a clone's would be rooted in the parent's cgroup */

        check(move_mount(root, "", AT_FDCWD, ".", MOVE_MOUNT_F_EMPTY_PATH), path);
        check(fchdir(root), path);
        mount_all(dev, full);

        check(sys_pivot_root(".", "."), "pivot_root");
        check(umount2(".", MNT_DETACH), "umount");
        check(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL), "shared");
        (void) execv(command[0], command);
        die(command[0]);
}

static void write_map(const char *process, const char *name, unsigned ids) {
        char path[64], text[32];
        int fd, n;

        (void) snprintf(path, sizeof path, "%s/%s", process, name);
        fd = check(open(path, O_WRONLY | O_CLOEXEC), path);
        n = snprintf(text, sizeof text, "0 %u 65536\n", ids);
        if (write(fd, text, (size_t) n) != n)
                die(path);
}

/* The root as a detached mount with the ids of the child's user namespace. */
static int open_root(const char *path, const char *process) {
        struct mount_attr attributes = {
                .attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_NODEV,
                .propagation = MS_PRIVATE,
        };
        char user[64];
        int tree;

        (void) snprintf(user, sizeof user, "%s/ns/user", process);
        attributes.userns_fd = (uint64_t) check(open(user, O_RDONLY | O_CLOEXEC), user);
        tree = check(open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC), path);
        check(mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes), "id-mapped root");
        return tree;
}

int main(int argc, char **argv) {
        struct clone_args args = {
                .flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET |
                        CLONE_INTO_CGROUP | CLONE_FILES,
                .exit_signal = SIGCHLD,
        };
        char path[4096], process[32];
        int go[2], dev, root, status;
        unsigned ids;
        bool full;
        pid_t pid;

        if (argc < 6 || (strcmp(argv[1], "full") != 0 && strcmp(argv[1], "reduced") != 0)) {
                (void) fprintf(stderr, "Usage: floor full|reduced ROOT CGROUP IDS COMMAND [ARGUMENT...]\n");
                return 2;
        }
        full = strcmp(argv[1], "full") == 0;
        ids = (unsigned) strtoul(argv[4], NULL, 10);
        (void) umask(0);

        (void) snprintf(path, sizeof path, "%s/payload", argv[3]);
        check(mkdir(path, 0755), path);
        args.cgroup = (uint64_t) check(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), path);
        dev = make_dev(ids);
        check(pipe2(go, O_CLOEXEC), "pipe");

        pid = check((int) sys_clone3(&args), "clone3");
        if (pid == 0)
                run_payload(go[0], argv[2], dev, full, argv + 5);

        (void) snprintf(process, sizeof process, "/proc/%d", (int) pid);
        write_map(process, "uid_map", ids);
        write_map(process, "gid_map", ids);
        root = open_root(argv[2], process);
        if (write(go[1], &root, sizeof root) != (ssize_t) sizeof root)
                die("pipe");

        check(waitpid(pid, &status, 0), "waitpid");
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
