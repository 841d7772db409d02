/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a container is like from inside: a static program that the tests run as the container's command, so that it has
 * exactly the rights of a container's process 1. It does what its arguments say, in their order, and prints lines of
 * KEY=VALUE; a key may come more than once.
 *
 *     report          all about this process, its namespaces and what it can see
 *     attempts        tries what a container must not be able to do; not for a host
 *     calls           makes system calls that a filter may be about
 *     notified        makes one that somebody is asked about
 *     keys            adds keys to its session keyring until there is no more room
 *     locked          tries to lift every restriction of every mount
 *     open PATH...    up to the next "--": how opening each for reading and for writing ends
 *     wait            until a signal ends it
 *     exit N          ends with this status
 *     linger PATH     prints how many zombies there are, having made some; writes a line to PATH at each SIGUSR1
 */
#define _GNU_SOURCE 1
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "calls.h"
#include "locked.h"

extern char **environ;

static long number(const char *text) {
        char *end;
        long value = strtol(text, &end, 10);

        return *text && !*end ? value : -1;
}

static void say_link(const char *key, const char *path) {
        char target[4096];
        ssize_t n = readlink(path, target, sizeof target - 1);

        if (n < 0)
                printf("%s=!%s\n", key, strerrorname_np(errno));
        else
                printf("%s=%.*s\n", key, (int) n, target);
}

static void say_links(const char *key, const char *directory) {
        DIR *d = opendir(directory);

        for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
                char name[512], path[1024];

                if (e->d_name[0] == '.' || (strcmp(key, "fd") == 0 && number(e->d_name) == dirfd(d)))
                        continue;
                snprintf(name, sizeof name, "%s.%s", key, e->d_name);
                snprintf(path, sizeof path, "%s/%s", directory, e->d_name);
                say_link(name, path);
        }
        if (d)
                closedir(d);
}

static void say_file(const char *key, const char *path) {
        char *line = NULL;
        size_t size = 0;
        FILE *f = fopen(path, "re");

        if (!f)
                printf("%s=!%s\n", key, strerrorname_np(errno));
        while (f && getline(&line, &size, f) >= 0) {
                line[strcspn(line, "\n")] = '\0';
                printf("%s=%s\n", key, line);
        }
        free(line);
        if (f)
                fclose(f);
}

static char type_letter(mode_t mode) {
        return S_ISDIR(mode) ? 'd' : S_ISCHR(mode) ? 'c' : S_ISBLK(mode) ? 'b' : S_ISLNK(mode) ? 'l' :
               S_ISFIFO(mode) ? 'p' : S_ISSOCK(mode) ? 's' : S_ISREG(mode) ? '-' : '?';
}

/* "dev./dev/null=c 0666 0:0 1:3" for everything below a directory, without following links. */
static void say_tree(const char *key, const char *path, int depth) {
        struct stat st;
        DIR *d;

        if (lstat(path, &st) < 0) {
                printf("%s.%s=!%s\n", key, path, strerrorname_np(errno));
                return;
        }
        printf("%s.%s=%c %04o %u:%u %u:%u\n", key, path, type_letter(st.st_mode), st.st_mode & 07777, st.st_uid,
               st.st_gid, major(st.st_rdev), minor(st.st_rdev));
        if (!S_ISDIR(st.st_mode) || depth == 0)
                return;

        d = opendir(path);
        for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
                char child[1024];

                if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
                        continue;
                snprintf(child, sizeof child, "%s/%s", path, e->d_name);
                say_tree(key, child, depth - 1);
        }
        if (d)
                closedir(d);
}

static void say_limits(void) {
        for (int i = 0; i < 16; i++) {
                struct rlimit limit;

                if (getrlimit((__rlimit_resource_t) i, &limit) < 0)
                        continue;
                printf("rlimit.%d=%jd:%jd\n", i, (intmax_t) limit.rlim_cur, (intmax_t) limit.rlim_max);
        }
}

static void say_keyring(void) {
        char text[512] = "";
        long id = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0, 0, 0);

        if (id >= 0)
                (void) syscall(SYS_keyctl, KEYCTL_DESCRIBE, id, text, sizeof text - 1, 0);
        printf("keyring=%ld\nkeyring.description=%s\n", id, text);
        printf("keyring.add=%s\n", syscall(SYS_add_key, "user", "berth-probe", "x", 1, KEY_SPEC_SESSION_KEYRING) < 0 ?
                                           strerrorname_np(errno) : "ok");
}

static void fill_keyring(void) {
        char name[32];
        int n = 0;

        do
                snprintf(name, sizeof name, "berth-fill-%d", n++);
        while (n < 100000 && syscall(SYS_add_key, "user", name, "x", 1, KEY_SPEC_SESSION_KEYRING) >= 0);
        printf("filled=%d %s\n", n, strerrorname_np(errno));
}

static void say_result(const char *key, long r) {
        printf("%s=%s\n", key, r < 0 ? strerrorname_np(errno) : "ok");
}

/* What must not work in a container, or has to. */
static void say_attempts(void) {
        struct timespec now;

        say_result("try.mknod-null", mknod("/dev/probe-null", S_IFCHR | 0666, makedev(1, 3)));
        say_result("try.mknod-mem", mknod("/dev/probe-mem", S_IFCHR | 0666, makedev(1, 1)));
        say_result("try.mknod-sda", mknod("/dev/probe-sda", S_IFBLK | 0666, makedev(8, 0)));
        say_result("try.mknod-fifo", mknod("/dev/probe-fifo", S_IFIFO | 0666, 0));
        (void) unlink("/dev/probe-fifo");
        say_result("try.audit", socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 9));
        say_result("try.exe-write", open("/proc/self/exe", O_WRONLY | O_CLOEXEC));
        say_result("try.exe-truncate", open("/proc/self/exe", O_WRONLY | O_TRUNC | O_CLOEXEC));
        say_result("try.swapoff", syscall(SYS_swapoff, "/nothing"));
        (void) clock_gettime(CLOCK_REALTIME, &now);
        say_result("try.settime", clock_settime(CLOCK_REALTIME, &now));
        say_result("try.module", syscall(SYS_delete_module, "nothing", O_NONBLOCK));
        say_result("try.syslog", syscall(SYS_syslog, 8 /* console level */, NULL, 100));
        say_result("try.rlimit", setrlimit(RLIMIT_NOFILE, &(struct rlimit) { 1 << 20, 1 << 20 }));
        say_result("try.sethostname", sethostname("probe-renamed", 13));
        say_result("try.symlink-root", symlink("/nowhere", "/probe-link"));
        (void) unlink("/probe-link");
}

static void report(int argc, char **argv) {
        struct utsname u;
        char cwd[4096];
        mode_t mask = umask(0);
        gid_t groups[256];
        int n;

        (void) umask(mask);
        say_links("ns", "/proc/self/ns");
        say_links("fd", "/proc/self/fd");
        for (char **e = environ; *e; e++)
                printf("env=%s\n", *e);
        say_limits();
        printf("umask=%04o\ncwd=%s\n", mask, getcwd(cwd, sizeof cwd) ? cwd : "!");
        printf("pid=%d\nppid=%d\nsid=%d\npgid=%d\n", getpid(), getppid(), getsid(0), getpgrp());
        printf("uid=%u\neuid=%u\ngid=%u\negid=%u\n", getuid(), geteuid(), getgid(), getegid());
        n = getgroups(256, groups);
        printf("groups=");
        for (int i = 0; i < n; i++)
                printf("%s%u", i ? " " : "", groups[i]);
        printf("\npersonality=%#x\n", personality(0xffffffff));
        if (uname(&u) == 0)
                printf("nodename=%s\nmachine=%s\n", u.nodename, u.machine);
        say_keyring();
        say_link("exe", "/proc/self/exe");
        say_link("root", "/proc/self/root");
        say_file("status", "/proc/self/status");
        say_file("mount", "/proc/self/mountinfo");
        say_file("cgroup", "/proc/self/cgroup");
        say_file("uid_map", "/proc/self/uid_map");
        say_file("setgroups", "/proc/self/setgroups");
        say_file("boot_id", "/proc/sys/kernel/random/boot_id");
        say_file("oom_score_adj", "/proc/self/oom_score_adj");
        say_file("net", "/proc/self/net/dev");
        say_tree("dev", "/dev", 4);
        say_tree("runhost", "/run/host", 3);
        for (int i = 0; i < argc; i++)
                printf("argv=%s\n", argv[i]);
}

static void say_open(const char *path) {
        char key[1024], byte;
        int fd;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        snprintf(key, sizeof key, "read.%s", path);
        say_result(key, fd);
        if (fd >= 0) {
                snprintf(key, sizeof key, "byte.%s", path);
                errno = 0;
                say_result(key, read(fd, &byte, 1) < 0 ? -1 : 0);
                close(fd);
        }
        fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        snprintf(key, sizeof key, "write.%s", path);
        say_result(key, fd);
        if (fd >= 0)
                close(fd);
}

/* How many there are in this PID namespace. */
static int count_zombies(void) {
        int zombies = 0;
        DIR *d = opendir("/proc");

        for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
                char file[300], line[512] = "";
                FILE *f;

                snprintf(file, sizeof file, "/proc/%s/stat", e->d_name);
                f = number(e->d_name) > 0 ? fopen(file, "re") : NULL;
                if (f && fgets(line, sizeof line, f) && strstr(line, ") Z "))
                        zombies++;
                if (f)
                        fclose(f);
        }
        if (d)
                closedir(d);
        return zombies;
}

/* Orphans, whose parent is gone: a process 1 that reaps leaves no zombie of them. What is still there after half a
 * minute stays. */
static void linger(const char *path) {
        pid_t orphans[5];
        sigset_t set;
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
                return;
        for (int i = 0; i < 5; i++) {
                if (fork() == 0) {
                        pid_t parent = getpid(), orphan = fork();

                        while (orphan == 0 && getppid() == parent)
                                usleep(1000);
                        _exit(orphan == 0 || write(ends[1], &orphan, sizeof orphan) == sizeof orphan ? 0 : 1);
                }
                (void) wait(NULL);
                if (read(ends[0], &orphans[i], sizeof orphans[i]) != sizeof orphans[i])
                        return;
        }
        for (int i = 0, tries = 0; i < 5 && tries < 600;)
                if (kill(orphans[i], 0) < 0)
                        i++;
                else {
                        usleep(50 * 1000);
                        tries++;
                }

        printf("zombies=%d\nsid=%d\npid=%d\nppid=%d\n", count_zombies(), getsid(0), getpid(), getppid());
        fflush(stdout);

        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigprocmask(SIG_BLOCK, &set, NULL);
        for (;;) {
                int s = 0, fd;

                printf("lingering=yes\n");
                fflush(stdout);
                sigwait(&set, &s);
                fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
                (void) dprintf(fd, "got %d\n", s);
                close(fd);
        }
}

int main(int argc, char **argv) {
        static char buffer[1 << 20];
        int i = 1;

        setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
        while (i < argc) {
                const char *word = argv[i++];

                if (strcmp(word, "report") == 0)
                        report(argc, argv);
                else if (strcmp(word, "attempts") == 0)
                        say_attempts();
                else if (strcmp(word, "locked") == 0)
                        locked_try_all();
                else if (strcmp(word, "keys") == 0)
                        fill_keyring();
                else if (strcmp(word, "calls") == 0)
                        calls_try_all();
                else if (strcmp(word, "notified") == 0)
                        calls_notified();
                else if (strcmp(word, "open") == 0)
                        while (i < argc && strcmp(argv[i], "--") != 0)
                                say_open(argv[i++]);
                else if (strcmp(word, "--") == 0)
                        continue;
                else if (strcmp(word, "exit") == 0 && i < argc) {
                        fflush(stdout);
                        return (int) number(argv[i]);
                } else if (strcmp(word, "linger") == 0 && i < argc)
                        linger(argv[i]);
                else if (strcmp(word, "wait") == 0) {
                        printf("waiting=yes\n");
                        fflush(stdout);
                        for (;;)
                                pause();
                } else {
                        fprintf(stderr, "probe: unknown word %s\n", word);
                        return 2;
                }
        }
        printf("probe=done\n");
        return fflush(stdout) == 0 ? 0 : 1;
}
