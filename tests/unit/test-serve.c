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
#include "helper/serve/properties.h"
#include "helper/serve/request.h"
#include "helper/serve/table.h"
#include "spec/key.h"
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
                CHECK_HAS(kinds(fd), files[i].kinds);
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

/* A property as one line. */
static const char *property_text(const char *name, const char *value) {
        static const char *const errors[] = { "", "unknown", "value", "limit", "root" };
        char why[PROPERTY_WHY_SIZE] = "";
        static char text[256];
        Property property;
        int r;

        r = property_parse(name, value, &property, why);
        if (r != 0) {
                CHECK(r > 0 && strlen(why) > 10);
                return r > 0 ? errors[r] : strerror(-r);
        }
        if (property.type == 's')
                (void) snprintf(text, sizeof text, "%s s %s", property.name, property.word);
        else if (property.type == 'y')
                (void) snprintf(text, sizeof text, "%s y %zu %02x%02x", property.name, property.n_bytes,
                                property.bytes[0], property.bytes[1]);
        else
                (void) snprintf(text, sizeof text, "%s %c %" PRIu64, property.name, property.type, property.number);

        return text;
}

static void test_properties(void) {
        static const char *const cases[][3] = {
                { "MemoryMax", "512M", "MemoryMax t 536870912" },
                { "MemoryMax", "infinity", "MemoryMax t 18446744073709551615" },
                { "MemoryMax", "", "MemoryMax t 18446744073709551615" },
                { "MemoryMax", "50%", "MemoryMaxScale u 2147483648" },
                { "MemoryMax", "100%", "MemoryMaxScale u 4294967295" },
                { "MemoryMax", "0", "value" },
                { "MemoryMax", "1M\n[Root]\nPath=/", "value" },
                { "MemoryMax", "1M\\", "value" },
                { "MemoryMax", "lots", "value" },
                { "MemoryMin", "1M", "root" },
                { "MemoryMin", "", "root" },
                { "IOReadBandwidthMax", "/dev/sda 1M", "root" },
                { "ManagedOOMPreference", "omit", "root" },
                { "MemorySwapMax", "0", "MemorySwapMax t 0" },
                { "CPUWeight", "100", "CPUWeight t 100" },
                { "CPUWeight", "idle", "CPUWeight t 0" },
                { "CPUWeight", "", "CPUWeight t 18446744073709551615" },
                { "CPUWeight", "101", "limit" },
                { "IOWeight", "10000", "limit" },
                { "IOWeight", "10001", "value" },
                { "CPUQuota", "50%", "CPUQuotaPerSecUSec t 500000" },
                { "CPUQuota", "12.5%", "CPUQuotaPerSecUSec t 125000" },
                { "CPUQuotaPerSecUSec", "", "CPUQuotaPerSecUSec t 18446744073709551615" },
                { "CPUQuotaPeriodSec", "10ms", "CPUQuotaPeriodUSec t 10000" },
                { "AllowedCPUs", "0-3 8", "AllowedCPUs y 2 0f01" },
                { "AllowedCPUs", "15,1", "AllowedCPUs y 2 0280" },
                { "AllowedCPUs", "8191", "AllowedCPUs y 1024 0000" },
                { "AllowedCPUs", "8192", "value" },
                { "AllowedCPUs", "", "AllowedCPUs y 0 0000" },
                { "TasksMax", "16384", "TasksMax t 16384" },
                { "TasksMax", "", "TasksMax t 16384" },
                { "TasksMax", "16385", "limit" },
                { "TasksMax", "infinity", "limit" },
                { "TasksMax", "10%", "limit" },
                { "TasksMaxScale", "10%", "unknown" },
                { "CPUAccounting", "yes", "CPUAccounting b 1" },
                { "CPUAccounting", "", "value" },
                { "ManagedOOMSwap", "kill", "ManagedOOMSwap s kill" },
                { "ManagedOOMSwap", "", "ManagedOOMSwap s auto" },
                { "ManagedOOMMemoryPressureLimit", "50%", "ManagedOOMMemoryPressureLimit u 2147483648" },
                { "ExecStart", "/bin/sh", "unknown" },
                { "DeviceAllow", "/dev/sda rw", "unknown" },
                { "LimitNOFILE", "5", "unknown" },
                { "Sysctl", "kernel.hostname=x", "unknown" },
                { "", "", "unknown" },
                { "MemoryMax=1\n[Root]\nPath", "1", "unknown" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                CHECK_STR(property_text(cases[i][0], cases[i][1]), cases[i][2]);
}

/* What an untrusted definition may set of a unit's properties, and nothing else, can be set while it runs. */
static void test_properties_all(void) {
        unsigned anyone = 0;

        for (size_t i = 0; i < n_keys; i++) {
                bool property = streq(keys[i].section, "Resources") && keys[i].live;
                char why[PROPERTY_WHY_SIZE];
                Property seen;

                if (!property) {
                        CHECK_INT(property_parse(keys[i].name, "1", &seen, why), PROPERTY_E_UNKNOWN);
                        continue;
                }
                anyone += keys[i].trust != TRUST_ROOT;
                if ((property_parse(keys[i].name, "?", &seen, why) == PROPERTY_E_ROOT) !=
                    (keys[i].trust == TRUST_ROOT))
                        test_fail(__FILE__, __LINE__, "%s: %s", keys[i].name, why);
        }
        CHECK(anyone > 20);
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
        const ChildTask task = { .work = work, .userdata = userdata, .fds = fds, .n_fds = n_fds };
        Seen seen = {};
        Child *child;
        sigset_t set;

        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGCHLD);
        REQUIRE(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
        REQUIRE(sd_event_new(&seen.event) >= 0);
        REQUIRE(child_start(seen.event, &task, on_done, &seen, &child) == 0);
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

TESTS(test_table, test_cgroup, test_process, test_peer, test_descriptors, test_properties, test_properties_all,
      test_children)
