/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attacks that a shell cannot make: a static program in a hostile guest. It does what its arguments say, in
 * their order, and prints lines of KEY=VALUE as the probe does; "ok" is an attack that succeeded.
 *
 *     overwrite PATH   writes to a file as soon as nobody executes it
 *     push PATH        types at a terminal for whoever reads from it
 *     keys             reads the key that systemd put into the unit's session keyring
 *     groups           drops all supplementary groups
 *     hierarchy        mounts cgroup v1, whose release_agent is run by the host
 *     sockets NAME     connects to an abstract socket
 *     swap A B         exchanges two names again and again, until a signal ends it
 *     notify TEXT      sends it to who waits for READY=1
 *     spy PATH         goes on in the background, and writes to a file what other processes have open
 *     wait             until a signal ends it
 *     ids              who it is, which a set-user-ID bit would change
 */
#define _GNU_SOURCE 1
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define HIGH (UINT64_C(1) << 32)

static void say(const char *key, long result) {
        printf("%s=%s\n", key, result < 0 ? strerrorname_np(errno) : "ok");
}

static void overwrite(const char *path) {
        static const char text[] = "overwritten\n";
        int fd = -1;

        for (int i = 0; fd < 0 && i < 6000; i++) {
                fd = open(path, O_WRONLY | O_CLOEXEC);
                if (fd < 0 && errno != ETXTBSY)
                        break;
                if (fd < 0)
                        usleep(10 * 1000);
        }
        say("overwrite", fd < 0 ? -1 : write(fd, text, sizeof text - 1));
        if (fd >= 0)
                close(fd);
}

/* A word that is typed at the terminal has not been read by anybody yet. */
static void push(const char *path) {
        struct termios raw;
        int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
        char byte = 0;

        if (fd >= 0 && tcgetattr(fd, &raw) == 0) {
                cfmakeraw(&raw);
                (void) tcsetattr(fd, TCSANOW, &raw);
        }
        say("push.plain", syscall(SYS_ioctl, fd, (uint64_t) TIOCSTI, "x"));
        say("push.high", syscall(SYS_ioctl, fd, (uint64_t) TIOCSTI | HIGH, "x"));
        say("push.linux", syscall(SYS_ioctl, fd, (uint64_t) TIOCLINUX, "\3"));
        say("push.read", read(fd, &byte, 1) == 1 && byte == 'x' ? 0 : -1);
        if (fd >= 0)
                close(fd);
}

static void keys(void) {
        char text[64] = "";
        long key = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", "invocation_id", 0);

        say("keys.found", key);
        say("keys.read", key < 0 ? -1 : syscall(SYS_keyctl, KEYCTL_READ, key, text, sizeof text, 0));
}

static void hierarchy(void) {
        static const char *const options[] = { "none,name=berth-attack", "memory", "pids", "misc", "rdma" };

        (void) mkdir("/hierarchy", 0755);
        for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
                char key[64];
                long r = mount("cgroup", "/hierarchy", "cgroup", 0, options[i]);

                snprintf(key, sizeof key, "hierarchy.%s", i == 0 ? "named" : options[i]);
                say(key, r);
                if (r == 0) {
                        say("hierarchy.agent", open("/hierarchy/release_agent", O_WRONLY | O_CLOEXEC));
                        say("hierarchy.move", open("/hierarchy/cgroup.procs", O_WRONLY | O_CLOEXEC));
                        say("hierarchy.own", mkdir("/hierarchy/new", 0755));
                        (void) umount2("/hierarchy", 0);
                }
        }
}

static void sockets(const char *name) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s", name);
        say("sockets.connect",
            connect(fd, (struct sockaddr *) &address,
                    (socklen_t) (offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name))));
        close(fd);
}

static void notify(const char *text) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        const char *path = getenv("NOTIFY_SOCKET");
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        snprintf(address.sun_path, sizeof address.sun_path, "%s", path ? path : "");
        say("notify", sendto(fd, text, strlen(text), 0, (struct sockaddr *) &address, sizeof address));
        close(fd);
}

static void spy_on(const char *pid, FILE *file) {
        for (int fd = 3; fd < 32; fd++) {
                char path[320], target[256];
                ssize_t n;

                snprintf(path, sizeof path, "/proc/%s/fd/%d", pid, fd);
                n = readlink(path, target, sizeof target - 1);
                if (n > 0)
                        fprintf(file, "spied=%.*s\n", (int) n, target);
        }
        fflush(file);
}

/* For three seconds: by then all that is to be seen has come and gone. */
static void spy(const char *path) {
        FILE *file = fopen(path, "ae");
        struct timespec begin, now;

        if (!file || fork() != 0)
                return;
        (void) setsid();
        (void) clock_gettime(CLOCK_MONOTONIC, &begin);
        do {
                DIR *d = opendir("/proc");

                for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
                        if (e->d_name[0] >= '2' && e->d_name[0] <= '9')
                                spy_on(e->d_name, file);
                if (d)
                        (void) closedir(d);
                (void) clock_gettime(CLOCK_MONOTONIC, &now);
        } while (now.tv_sec < begin.tv_sec + 3);
        fprintf(file, "spied=to the end\n");
        (void) fclose(file);
        _exit(0);
}

_Noreturn static void swap(const char *a, const char *b) {
        for (;;)
                (void) renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
}

int main(int argc, char **argv) {
        for (int i = 1; i < argc; i++) {
                const char *word = argv[i];

                if (strcmp(word, "overwrite") == 0 && i + 1 < argc)
                        overwrite(argv[++i]);
                else if (strcmp(word, "push") == 0 && i + 1 < argc)
                        push(argv[++i]);
                else if (strcmp(word, "keys") == 0)
                        keys();
                else if (strcmp(word, "groups") == 0)
                        say("groups.dropped", setgroups(0, NULL));
                else if (strcmp(word, "hierarchy") == 0)
                        hierarchy();
                else if (strcmp(word, "sockets") == 0 && i + 1 < argc)
                        sockets(argv[++i]);
                else if (strcmp(word, "swap") == 0 && i + 2 < argc)
                        swap(argv[i + 1], argv[i + 2]);
                else if (strcmp(word, "notify") == 0 && i + 1 < argc)
                        notify(argv[++i]);
                else if (strcmp(word, "spy") == 0 && i + 1 < argc)
                        spy(argv[++i]);
                else if (strcmp(word, "wait") == 0) {
                        printf("waiting=yes\n");
                        fflush(stdout);
                        for (;;)
                                (void) pause();
                } else if (strcmp(word, "ids") == 0)
                        printf("ids=%u %u\n", getuid(), geteuid());
                else {
                        fprintf(stderr, "hostile: unknown word %s\n", word);
                        return 2;
                }
        }
        printf("probe=done\n");
        return fflush(stdout) == 0 ? 0 : 1;
}
