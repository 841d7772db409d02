/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Times whole starts from outside, several contenders in turn, so that what the machine does meanwhile hits all alike.
 * A start begins before the clone of the contender's process and ends when every process that became ours is reaped.
 *
 *   launch-timer [--count] ROUNDS PAUSE_MS CGROUP <CONTENDERS
 *
 * CONTENDERS has a line for each, "NAME KIND COMMAND ARGUMENT...", split at blanks; CGROUP is a directory that is made
 * and removed, and in it a cgroup for each start, called unit. Kinds:
 *
 *   plain    the command starts in unit/; @ in an argument is that directory
 *   unit     as systemd 254 and later does it for a delegated notify service: started in unit/launch/, with a socket
 *            to be notified on, whose barriers are answered and whose descriptors are kept while it runs
 *   unit252  the same as systemd 252 does it: started in unit/, after a move of a process there
 *
 * A line of output for each start: NAME, microseconds in all, microseconds until READY=1 (0 if there was none),
 * microseconds of processor time. With --count NAME and the number of system calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/syscall.h"

#define CONTENDERS_MAX 16
#define WORDS_MAX 64
#define KEPT_MAX 32
#define START_LIMIT_MS 60000
#define TRACEPOINT "/sys/kernel/tracing/events/raw_syscalls/sys_enter/id"

typedef enum Kind { KIND_PLAIN, KIND_UNIT, KIND_UNIT252, _KIND_N } Kind;

typedef struct Contender {
        const char *name;
        Kind kind;
        char *argv[WORDS_MAX];
} Contender;

typedef struct Start {
        uint64_t begin, ready, end;
        uint64_t cpu;
        uint64_t calls;
        int kept[KEPT_MAX]; /* the descriptor store */
        size_t n_kept;
        int failed;         /* wait status of the first process that failed */
} Start;

static char unit[PATH_MAX], launch[PATH_MAX];
static char notify_path[64];
static int notify_socket = -EBADF;
static uint64_t tracepoint; /* counted if not 0 */
static sigset_t no_signals;

_noreturn_ static void die(const char *what) {
        (void) fprintf(stderr, "launch-timer: %s: %s\n", what, strerror(errno));
        exit(EXIT_FAILURE);
}

static int check(int result, const char *what) {
        if (result < 0)
                die(what);
        return result;
}

static uint64_t now_usec(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

static uint64_t to_usec(const struct timeval *t) {
        return (uint64_t) t->tv_sec * 1000000 + (uint64_t) t->tv_usec;
}

static void on_child(_unused_ int signal_number) {
        /* It is only there to interrupt ppoll(2). */
}

/* One message of a service's to systemd. A barrier is answered by closing its descriptor. */
static bool notify_receive(Start *start) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(int) * KEPT_MAX)];
        } control;
        char text[4096];
        struct iovec iov = { .iov_base = text, .iov_len = sizeof text - 1 };
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof control,
        };
        ssize_t n = recvmsg(notify_socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

        if (n < 0)
                return false;

        text[n] = '\0';
        if (strstr(text, "READY=1"))
                start->ready = now_usec();

        for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
                for (size_t i = 0; c->cmsg_type == SCM_RIGHTS && i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
                        int fd;

                        memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
                        if (strstr(text, "FDSTORE=1") && start->n_kept < KEPT_MAX)
                                start->kept[start->n_kept++] = fd;
                        else
                                (void) close(fd);
                }

        return true;
}

/* False when no child is left. What a cloned-with-our-parent process leaves us is a child as well. */
static bool reap(Start *start) {
        struct rusage usage;
        int status;
        pid_t pid;

        while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
                start->cpu += to_usec(&usage.ru_utime) + to_usec(&usage.ru_stime);
                if (status != 0 && start->failed == 0)
                        start->failed = status;
        }

        return pid == 0;
}

static int count_begin(pid_t pid) {
        struct perf_event_attr attributes = {
                .type = PERF_TYPE_TRACEPOINT,
                .size = sizeof attributes,
                .config = tracepoint,
                .disabled = 1,
                .inherit = 1,
                .enable_on_exec = 1,
        };

        return check((int) syscall(SYS_perf_event_open, &attributes, pid, -1, -1, 0UL), "perf_event_open");
}

_noreturn_ static void run_contender(const Contender *contender, int go) {
        char byte, *argv[WORDS_MAX + 1] = {};
        char *environment[] = { (char *) "PATH=/usr/sbin:/usr/bin:/sbin:/bin", (char *) "HOME=/root", NULL, NULL };

        for (size_t i = 0; contender->argv[i]; i++)
                argv[i] = strcmp(contender->argv[i], "@") == 0 ? unit : contender->argv[i];
        if (contender->kind != KIND_PLAIN)
                environment[2] = notify_path;

        if (go >= 0 && read(go, &byte, 1) != 1)
                _exit(EXIT_FAILURE);
        (void) sigprocmask(SIG_SETMASK, &no_signals, NULL);
        (void) execve(argv[0], argv, environment);
        (void) fprintf(stderr, "launch-timer: %s: %s\n", argv[0], strerror(errno));
        _exit(127);
}

static void make_unit(const Contender *contender) {
        if (mkdir(unit, 0755) < 0 && errno != EEXIST)
                die(unit);
        if (contender->kind == KIND_UNIT)
                check(mkdir(launch, 0755), launch);

        if (contender->kind == KIND_UNIT252) {
                char procs[PATH_MAX + 16];
                pid_t pid = check(fork(), "fork");
                int fd;

                if (pid == 0) {
                        (void) snprintf(procs, sizeof procs, "%s/cgroup.procs", unit);
                        fd = open(procs, O_WRONLY | O_CLOEXEC);
                        _exit(fd < 0 || write(fd, "0", 1) != 1);
                }
                check(waitpid(pid, NULL, 0), "waitpid");
        }
}

static void remove_tree(const char *path, unsigned depth) {
        DIR *directory = opendir(path);

        if (!directory)
                return;
        for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
                char below[PATH_MAX];

                if (entry->d_type != DT_DIR || entry->d_name[0] == '.' || depth == 0)
                        continue;
                if (snprintf(below, sizeof below, "%s/%s", path, entry->d_name) < (int) sizeof below)
                        remove_tree(below, depth - 1);
        }
        (void) closedir(directory);
        if (rmdir(path) < 0 && errno != EBUSY)
                die(path);
}

static void run_start(const Contender *contender, Start *start) {
        struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
        uint64_t limit;
        int cgroup, counter = -EBADF, go[2] = { -EBADF, -EBADF };
        pid_t pid;

        *start = (Start) {};
        make_unit(contender);
        cgroup = check(open(contender->kind == KIND_UNIT ? launch : unit, O_RDONLY | O_DIRECTORY | O_CLOEXEC), unit);
        args.cgroup = (uint64_t) cgroup;
        if (tracepoint != 0)
                check(pipe2(go, O_CLOEXEC), "pipe");

        start->begin = now_usec();
        limit = start->begin + START_LIMIT_MS * UINT64_C(1000);
        pid = check((int) sys_clone3(&args), "clone3");
        if (pid == 0)
                run_contender(contender, go[0]);
        if (tracepoint != 0) {
                counter = count_begin(pid);
                if (write(go[1], "", 1) != 1)
                        die("pipe");
        }

        while (reap(start)) {
                struct pollfd p = { .fd = notify_socket, .events = POLLIN };
                struct timespec second = { .tv_sec = 1 };

                if (ppoll(&p, 1, &second, &no_signals) > 0)
                        while (notify_receive(start))
                                ;
                if (now_usec() > limit) {
                        errno = ETIMEDOUT;
                        die(contender->name);
                }
        }
        start->end = now_usec();
        while (notify_receive(start))
                ;

        if (counter >= 0 && read(counter, &start->calls, sizeof start->calls) != (ssize_t) sizeof start->calls)
                die("counter");
        for (size_t i = 0; i < start->n_kept; i++)
                (void) close(start->kept[i]);
        (void) close(cgroup);
        (void) fd_close(counter);
        (void) fd_close(go[0]);
        (void) fd_close(go[1]);
        remove_tree(unit, 4);
}

static void report(const Contender *contender, const Start *start) {
        if (start->failed != 0) {
                (void) fprintf(stderr, "launch-timer: %s failed: %s %d\n", contender->name,
                               WIFEXITED(start->failed) ? "status" : "signal",
                               WIFEXITED(start->failed) ? WEXITSTATUS(start->failed) : WTERMSIG(start->failed));
                exit(EXIT_FAILURE);
        }
        if (tracepoint != 0)
                (void) printf("%s %" PRIu64 "\n", contender->name, start->calls);
        else
                (void) printf("%s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", contender->name, start->end - start->begin,
                              start->ready != 0 ? start->ready - start->begin : 0, start->cpu);
        (void) fflush(stdout);
}

/* A line is cut into words in place, and stays. */
static bool parse_contender(char *line, Contender *ret) {
        static const char *const kinds[_KIND_N] = { "plain", "unit", "unit252" };
        char *save = NULL, *name = strtok_r(line, " \n", &save), *kind = strtok_r(NULL, " \n", &save);
        size_t n = 0;

        if (!name || !kind)
                return false;
        for (*ret = (Contender) { .name = name, .kind = _KIND_N }; n < _KIND_N; n++)
                if (strcmp(kind, kinds[n]) == 0)
                        ret->kind = (Kind) n;

        n = 0;
        for (char *word = strtok_r(NULL, " \n", &save); word && n < WORDS_MAX - 1; word = strtok_r(NULL, " \n", &save))
                ret->argv[n++] = word;
        return ret->kind != _KIND_N && n > 0;
}

static size_t read_contenders(Contender contenders[static CONTENDERS_MAX]) {
        size_t n = 0;
        char *line = NULL;
        size_t size = 0;

        while (n < CONTENDERS_MAX && getline(&line, &size, stdin) > 0) {
                if (!parse_contender(line, &contenders[n])) {
                        (void) fprintf(stderr, "launch-timer: a contender is NAME plain|unit|unit252 COMMAND ARGUMENT...\n");
                        exit(2);
                }
                n++;
                line = NULL;
                size = 0;
        }
        free(line);
        return n;
}

/* Every round has another order: nobody always comes after the one that leaves the most behind. */
static void shuffle(size_t order[static CONTENDERS_MAX], size_t n) {
        static uint32_t state = 2463534242;

        for (size_t i = n; i > 1; i--) {
                size_t other, kept;

                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                other = state % i;
                kept = order[i - 1];
                order[i - 1] = order[other];
                order[other] = kept;
        }
}

static void setup(const char *cgroup) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct sigaction action = { .sa_handler = on_child };
        sigset_t child;

        (void) snprintf(unit, sizeof unit, "%s/unit", cgroup);
        (void) snprintf(launch, sizeof launch, "%s/unit/launch", cgroup);
        if (mkdir(cgroup, 0755) < 0 && errno != EEXIST)
                die(cgroup);

        (void) snprintf(notify_path, sizeof notify_path, "NOTIFY_SOCKET=/run/launch-timer.%d", (int) getpid());
        (void) stpncpy(address.sun_path, strchr(notify_path, '=') + 1, sizeof address.sun_path - 1);
        notify_socket = check(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
        check(bind(notify_socket, (struct sockaddr *) &address, sizeof address), address.sun_path);

        (void) sigemptyset(&no_signals);
        (void) sigemptyset(&child);
        (void) sigaddset(&child, SIGCHLD);
        check(sigprocmask(SIG_BLOCK, &child, NULL), "sigprocmask");
        check(sigaction(SIGCHLD, &action, NULL), "sigaction");
}

static uint64_t find_tracepoint(void) {
        _cleanup_fclose_ FILE *file = fopen(TRACEPOINT, "re");
        uint64_t id;

        if (!file || fscanf(file, "%" SCNu64, &id) != 1)
                die(TRACEPOINT);
        return id;
}

int main(int argc, char **argv) {
        static Contender contenders[CONTENDERS_MAX];
        size_t order[CONTENDERS_MAX], n;
        long rounds, pause_ms;

        if (argc > 1 && strcmp(argv[1], "--count") == 0) {
                tracepoint = find_tracepoint();
                argc--;
                argv++;
        }
        if (argc != 4) {
                (void) fprintf(stderr, "Usage: launch-timer [--count] ROUNDS PAUSE_MS CGROUP <CONTENDERS\n");
                return 2;
        }
        rounds = strtol(argv[1], NULL, 10);
        pause_ms = strtol(argv[2], NULL, 10);
        n = read_contenders(contenders);
        setup(argv[3]);

        for (size_t i = 0; i < n; i++)
                order[i] = i;
        for (long round = 0; round < rounds; round++) {
                shuffle(order, n);
                for (size_t i = 0; i < n; i++) {
                        Start start;

                        (void) usleep((useconds_t) pause_ms * 1000);
                        run_start(&contenders[order[i]], &start);
                        report(&contenders[order[i]], &start);
                }
        }

        (void) unlink(strchr(notify_path, '=') + 1);
        remove_tree(argv[3], 4);
        return EXIT_SUCCESS;
}
