/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The serving helper: its table, who counts as the manager, which descriptors are what they have to be, and
 * children with their results.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "helper/serve/child.h"
#include "helper/serve/gate.h"
#include "helper/serve/request.h"
#include "helper/serve/table.h"
#include "test.h"

static void test_table(void) {
        CHECK(n_operations > 0);
        for (size_t i = 0; i < n_operations; i++) {
                const Operation *row = operations + i;

                CHECK(operation_find(row->member) == row);
                CHECK(row->run);
                CHECK(row->why && strlen(row->why) > 10);
                CHECK(row->target == TARGET_HOST || row->arguments[0] == 's');
        }
        CHECK(!operation_find("start"));
        CHECK(!operation_find(""));
        CHECK(!operation_find(NULL));
}

/* clang-format off */
static void test_cgroup(void) {
        static const struct {
                const char *path, *unit, *below;
                bool is;
        } cases[] = {
                { "/system.slice/berth-manager.service", MANAGER_UNIT, "", true },
                { "/berth-manager.service", MANAGER_UNIT, "", true },
                { "/a.slice/a-b.slice/berth-manager.service", MANAGER_UNIT, "", true },
                { "/system.slice/berth-manager.service/", MANAGER_UNIT, "", false },
                { "/system.slice/berth-manager.service/below", MANAGER_UNIT, "", false },
                { "/system.slice/berth-manager.service2", MANAGER_UNIT, "", false },
                { "/system.slice/x-berth-manager.service", MANAGER_UNIT, "", false },
                { "/system.slice/.slice/berth-manager.service", MANAGER_UNIT, "", false },
                { "/user.slice/user-1000.slice/user@1000.service/berth-manager.service", MANAGER_UNIT, "", false },
                { "/user.slice/user-1000.slice/user@1000.service/app.slice/berth-manager.service", MANAGER_UNIT, "", false },
                { "/machine.slice/container@a.service/payload/system.slice/berth-manager.service", MANAGER_UNIT, "", false },
                { "/../system.slice/berth-manager.service", MANAGER_UNIT, "", false },
                { "berth-manager.service", MANAGER_UNIT, "", false },
                { "/", MANAGER_UNIT, "", false },
                { "", MANAGER_UNIT, "", false },
                { "/machine.slice/container@a.service/payload", "container@a.service", "/payload", true },
                { "/machine.slice/container@a.service/payload/init.scope", "container@a.service", "/payload", true },
                { "/machine.slice/container@a.service/payloads", "container@a.service", "/payload", false },
                { "/machine.slice/container@a.service/launch", "container@a.service", "/payload", false },
                { "/machine.slice/container@a.service", "container@a.service", "/payload", false },
                { "/machine.slice/container@b.service/payload", "container@a.service", "/payload", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++, test_checks++)
                if (gate_cgroup_is(cases[i].path, cases[i].unit, cases[i].below) != cases[i].is)
                        test_fail(__FILE__, __LINE__, "%s: %s%s should be %d", cases[i].path, cases[i].unit,
                                  cases[i].below, cases[i].is);
}
/* clang-format on */

static void test_process(void) {
        _cleanup_close_ int pidfd = -EBADF;
        pid_t pid;

        pid = fork();
        if (pid == 0)
                _exit(0);
        REQUIRE(pid > 0);
        pidfd = pidfd_open(pid, 0);
        REQUIRE(pidfd >= 0);
        REQUIRE(waitpid(pid, NULL, 0) == pid);
        /* Its number may be anybody's by now. */
        CHECK(gate_process_is(getpid(), pidfd, MANAGER_UNIT, "") == -ESRCH);
        CHECK(gate_process_is(pid, pidfd, MANAGER_UNIT, "") < 0);
}

static void test_peer(void) {
        _cleanup_close_ int a = -EBADF, b = -EBADF, file = -EBADF;
        char why[128];
        int ends[2];
        pid_t pid;

        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
        a = ends[0];
        b = ends[1];

        CHECK_INT(gate_peer(a, getuid() + 1, &pid, why, sizeof why), -EPERM);
        CHECK_HAS(why, "not of the user");
        CHECK_INT(pid, getpid());
        CHECK_INT(gate_peer(a, getuid(), &pid, why, sizeof why), -EPERM);
        CHECK_HAS(why, "not in " MANAGER_UNIT);
        file = open("/dev/null", O_RDONLY | O_CLOEXEC);
        CHECK_INT(gate_peer(file, getuid(), &pid, why, sizeof why), -EPERM);
        CHECK_INT(pid, 0);
}

/* What a descriptor counts as: one letter for each kind, in their order. */
static const char *kinds(int fd) {
        static char text[_DESCRIPTOR_KIND_N + 1];

        for (int kind = 0; kind < _DESCRIPTOR_KIND_N; kind++)
                text[kind] = gate_descriptor(fd, (DescriptorKind) kind) == 0 ? "padis"[kind] : '-';

        return text;
}

static void test_descriptors(void) {
        _cleanup_close_ int reading = -EBADF, writing = -EBADF, sock = -EBADF, other = -EBADF,
                            epoll = -EBADF, self = -EBADF;
        static const struct {
                const char *path;
                int flags;
                const char *kinds;
        } files[] = {
                {"/",                      O_RDONLY | O_DIRECTORY, "--d-s"},
                { "/", O_PATH | O_DIRECTORY, "----s"},
                { "/proc/self/exe", O_RDONLY, "-a-is"},
                { "/proc/self/exe", O_PATH, "----s"},
                { "/proc/self/clear_refs", O_WRONLY, "----s"},
                { "/dev/null", O_RDWR, "-----"},
                { "/dev/null", O_PATH, "-----"},
        };
        int ends[2];

        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                _cleanup_close_ int fd = open(files[i].path, files[i].flags | O_CLOEXEC);

                REQUIRE(fd >= 0);
                CHECK_STR(kinds(fd), files[i].kinds);
        }

        REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
        reading = ends[0];
        writing = ends[1];
        CHECK_STR(kinds(reading), "-a---");
        CHECK_STR(kinds(writing), "p----");
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
        sock = ends[0];
        other = ends[1];
        CHECK_STR(kinds(sock), "-----");
        epoll = epoll_create1(EPOLL_CLOEXEC);
        CHECK_STR(kinds(epoll), "-----");
        self = pidfd_open(getpid(), 0);
        CHECK_STR(kinds(self), "-----");
        CHECK_STR(kinds(-EBADF), "-----");
}

typedef struct Seen {
        sd_event *event;
        char error[64], text[256];
        size_t length;
        char read[8];
        bool done;
} Seen;

static void on_done(ChildResult *result, void *userdata) {
        Seen *seen = userdata;

        (void) snprintf(seen->error, sizeof seen->error, "%s", result->error ?: "");
        (void) snprintf(seen->text, sizeof seen->text, "%s", result->text);
        seen->length = strlen(result->text);
        if (result->fd >= 0 && read(result->fd, seen->read, sizeof seen->read - 1) < 0)
                (void) snprintf(seen->read, sizeof seen->read, "?");
        seen->done = true;
        (void) sd_event_exit(seen->event, 0);
}

static Seen run_child(ChildWork work, void *userdata, const int *fds, size_t n_fds, bool kill) {
        Seen seen = {};
        Child *child;
        sigset_t set;

        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGCHLD);
        REQUIRE(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
        REQUIRE(sd_event_new(&seen.event) >= 0);
        REQUIRE(child_start(seen.event, work, userdata, fds, n_fds, on_done, &seen, &child) == 0);
        if (kill)
                child_kill(child);
        REQUIRE(sd_event_loop(seen.event) >= 0);
        CHECK(seen.done);
        sd_event_unref(seen.event);

        return seen;
}

static int work_text(ChildReport *report, void *userdata) {
        return child_give(report, userdata);
}

static int work_error(ChildReport *report, void *userdata) {
        return child_give_error(report, HELPER_ERROR_EXISTS, "There is %s", (const char *) userdata);
}

static int work_errno(ChildReport *report, void *userdata) {
        return -ENOSPC;
}

static int work_nothing(ChildReport *report, void *userdata) {
        return 0;
}

_noreturn_ static int work_dies(ChildReport *report, void *userdata) {
        (void) raise(SIGKILL);
        _exit(3);
}

_noreturn_ static int work_waits(ChildReport *report, void *userdata) {
        for (;;)
                (void) pause();
}

static int work_large(ChildReport *report, void *userdata) {
        _cleanup_free_ char *text = malloc(CHILD_TEXT_MAX + 2);
        size_t size = CHILD_TEXT_MAX + *(size_t *) userdata;

        if (!text)
                return -ENOMEM;
        memset(text, 'x', size);
        text[size] = '\0';

        return child_give(report, text);
}

/* Which descriptors the child has, a letter for each: standard, given, other. */
static int work_descriptors(ChildReport *report, void *userdata) {
        int given = *(int *) userdata;
        char text[1024] = "", *end = text;

        for (int fd = 0; fd < 1023; fd++)
                if (fd != report->socket && fcntl(fd, F_GETFD) >= 0)
                        *end++ = fd < 3 ? 's' : fd == given ? 'g' : 'o';

        return child_give_fd(report, text, given);
}

static void test_children(void) {
        _cleanup_close_ int reading = -EBADF, writing = -EBADF;
        size_t more;
        int ends[2];
        Seen seen;

        seen = run_child(work_text, (void *) "some text", NULL, 0, false);
        CHECK_STR(seen.error, "");
        CHECK_STR(seen.text, "some text");
        seen = run_child(work_text, (void *) "", NULL, 0, false);
        CHECK_STR(seen.error, "");
        CHECK_STR(seen.text, "");
        seen = run_child(work_error, (void *) "one", NULL, 0, false);
        CHECK_STR(seen.error, HELPER_ERROR_EXISTS);
        CHECK_STR(seen.text, "There is one");
        seen = run_child(work_errno, NULL, NULL, 0, false);
        CHECK_STR(seen.error, HELPER_ERROR_FAILED);
        CHECK_STR(seen.text, "No space left on device");
        seen = run_child(work_nothing, NULL, NULL, 0, false);
        CHECK_STR(seen.error, HELPER_ERROR_FAILED);
        CHECK_HAS(seen.text, "status 0");
        seen = run_child(work_dies, NULL, NULL, 0, false);
        CHECK_HAS(seen.text, "SIGKILL");
        seen = run_child(work_waits, NULL, NULL, 0, true);
        CHECK_HAS(seen.text, "SIGKILL");

        more = 0;
        seen = run_child(work_large, &more, NULL, 0, false);
        CHECK_STR(seen.error, "");
        CHECK_INT(seen.length, CHILD_TEXT_MAX);
        more = 1;
        seen = run_child(work_large, &more, NULL, 0, false);
        CHECK_STR(seen.error, HELPER_ERROR_FAILED);

        REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
        reading = ends[0];
        writing = ends[1];
        REQUIRE(write(writing, "pipe", 4) == 4);
        seen = run_child(work_descriptors, &reading, &reading, 1, false);
        CHECK_STR(seen.text, "sssg");
        CHECK_STR(seen.read, "pipe");
}

TESTS(test_table, test_cgroup, test_process, test_peer, test_descriptors, test_children)
