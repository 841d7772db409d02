/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * HostCapabilities: a host that has everything, one that has nothing, and each in between; and that the interface file
 * and the manual page have the same words.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/string.h"
#include "manager/capabilities.h"

#include "test.h"

/* What the probes look at, and a text that switches it off; NULL: only its absence does. */
static const struct {
        const char *word, *file, *on, *off;
} cases[] = {
        { "apparmor", "sys/module/apparmor/parameters/enabled", "Y\n", "N\n" },
        { "apparmor-parser", "usr/sbin/apparmor_parser", "", NULL },
        { "cgroup-cpu", "sys/fs/cgroup/cgroup.controllers", "cpu memory io pids cpuset\n", "cpuset memory io pids\n" },
        { "cgroup-cpuset", "sys/fs/cgroup/cgroup.controllers", "cpu memory io pids cpuset\n", "cpu memory io pids\n" },
        { "cgroup-freezer", "sys/fs/cgroup/init.scope/cgroup.freeze", "0\n", NULL },
        { "cgroup-io", "sys/fs/cgroup/cgroup.controllers", "cpu memory io pids cpuset\n", "cpu memory ioo pids\n" },
        { "cgroup-kill", "sys/fs/cgroup/init.scope/cgroup.kill", "", NULL },
        { "cgroup-memory", "sys/fs/cgroup/cgroup.controllers", "cpu memory io pids cpuset\n", "" },
        { "cgroup-pids", "sys/fs/cgroup/cgroup.controllers", "cpu memory io pids cpuset\n", "xpids\n" },
        { "cgroup-v2", "sys/fs/cgroup/cgroup.controllers", "cpu memory io pids cpuset\n", NULL },
        { "fuse", "sys/class/misc/fuse", "", NULL },
        { "kvm", "sys/class/misc/kvm", "", NULL },
        { "loop-devices", "sys/class/misc/loop-control", "", NULL },
        { "overlay", "proc/filesystems", "nodev\tproc\nnodev\toverlay\n", "nodev\toverlayx\n" },
        { "pressure", "proc/pressure/memory", "some avg10=0.00\n", "" },
        { "seccomp", "proc/sys/kernel/seccomp/actions_avail", "kill_process\n", NULL },
        { "selinux", "sys/fs/selinux/enforce", "1", NULL },
        { "time-namespaces", "proc/self/ns/time", "", NULL },
        { "tun", "sys/class/misc/tun", "", NULL },
        { "user-namespaces", "proc/sys/user/max_user_namespaces", "96364\n", "0\n" },
};

static const BusFacts all_facts = { .known = true, .polkit = true, .machined = true, .systemd = "252.39-1~deb12u2" };
static const BusFacts no_facts = {};

static void make_file(int root, const char *name, const char *text) {
        char path[128];

        (void) snprintf(path, sizeof path, "%s", name);
        for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                REQUIRE(mkdirat(root, path, 0700) >= 0 || errno == EEXIST);
                *slash = '/';
        }
        (void) unlinkat(root, name, 0);
        REQUIRE(file_create(root, name, 0600, text) >= 0);
}

/* "" if it is there, else the reason. */
static const char *reason_of(int root, const BusFacts *facts, const char *word) {
        static Capability list[CAPABILITIES_MAX];
        size_t n = capabilities_probe(root, facts, list);

        for (size_t i = 0; i < n; i++)
                if (streq(list[i].word, word))
                        return list[i].reason;

        return "no such word";
}

static void remove_tree(int root, const char *top) {
        char path[128];

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                (void) unlinkat(root, cases[i].file, 0);
                (void) snprintf(path, sizeof path, "%s", cases[i].file);
                for (char *slash = strrchr(path, '/'); slash; slash = strrchr(path, '/')) {
                        *slash = '\0';
                        (void) unlinkat(root, path, AT_REMOVEDIR);
                }
        }
        (void) unlinkat(root, "var/lib/berth", AT_REMOVEDIR);
        (void) unlinkat(root, "var/lib", AT_REMOVEDIR);
        (void) unlinkat(root, "var", AT_REMOVEDIR);
        CHECK(rmdir(top) >= 0);
}

static void test_each(void) {
        char top[] = "/tmp/test-capabilities-XXXXXX";
        _cleanup_close_ int root = -EBADF;

        REQUIRE(mkdtemp(top));
        root = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
        REQUIRE(root >= 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                make_file(root, cases[i].file, cases[i].on);

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                CHECK_STR(reason_of(root, &all_facts, cases[i].word), "");
                if (cases[i].off) {
                        make_file(root, cases[i].file, cases[i].off);
                        CHECK(reason_of(root, &all_facts, cases[i].word)[0] >= 'A');
                }
                CHECK(unlinkat(root, cases[i].file, 0) >= 0);
                CHECK(strlen(reason_of(root, &all_facts, cases[i].word)) > strlen("no such word"));
                make_file(root, cases[i].file, cases[i].on);
        }
        CHECK_HAS(reason_of(root, &all_facts, "idmapped-mounts"), "no /var/lib/berth");
        remove_tree(root, top);
}

static void test_bus(void) {
        BusFacts facts = all_facts;

        CHECK_STR(reason_of(AT_FDCWD, &facts, "polkit"), "");
        CHECK_STR(reason_of(AT_FDCWD, &facts, "machined"), "");
        CHECK_STR(reason_of(AT_FDCWD, &facts, "systemd"), "");
        facts.polkit = false;
        CHECK_HAS(reason_of(AT_FDCWD, &facts, "polkit"), "nobody but root");
        CHECK_STR(reason_of(AT_FDCWD, &facts, "machined"), "");
        (void) snprintf(facts.systemd, sizeof facts.systemd, "251");
        CHECK_HAS(reason_of(AT_FDCWD, &facts, "systemd"), "version 251");
        (void) snprintf(facts.systemd, sizeof facts.systemd, "v252");
        CHECK_HAS(reason_of(AT_FDCWD, &facts, "systemd"), "not told");
        CHECK_HAS(reason_of(AT_FDCWD, &no_facts, "systemd"), "not told");
        CHECK_HAS(reason_of(AT_FDCWD, &no_facts, "machined"), "not answered");
}

/* This host, whatever it has: there is an answer to each, and it can be shown. */
static void test_this_host(void) {
        _cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        Capability list[CAPABILITIES_MAX];
        size_t n;

        REQUIRE(root >= 0);
        n = capabilities_probe(root, &no_facts, list);
        CHECK_INT(n, ELEMENTSOF(cases) + 4);
        for (size_t i = 0; i < n; i++) {
                CHECK(string_is_printable(list[i].reason));
                CHECK(i == 0 || strcmp(list[i - 1].word, list[i].word) < 0);
        }
}

/* How often PART stands in TEXT. */
static size_t count(const char *text, const char *part) {
        size_t n = 0;

        for (const char *s = strstr(text, part); s; s = strstr(s + 1, part))
                n++;

        return n;
}

/* The part of FILE from the last BEGIN before END up to there has all words, and no others, each after PREFIX. */
static void check_document(const char *variable, const char *begin, const char *end, const char *prefix,
                           const char *suffix) {
        const char *file = getenv(variable);
        _cleanup_free_ char *text = NULL;
        Capability list[CAPABILITIES_MAX];
        size_t n = capabilities_probe(AT_FDCWD, &no_facts, list);
        char *from, *to;

        REQUIRE(file && file_read(AT_FDCWD, file, 1024 * 1024, &text, NULL) >= 0);
        from = strstr(text, begin);
        REQUIRE(from);
        to = strstr(from, end);
        REQUIRE(to);
        *to = '\0';
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *line = string_printf("%s%s%s", prefix, list[i].word, suffix);

                CHECK_HAS(from, line);
        }
        CHECK_INT(count(from, prefix), n);
}

static void test_documented(void) {
        check_document("BERTH_INTERFACE", "<!-- What this host can do", "name=\"HostCapabilities\"", "\n           ", " ");
        check_document("BERTH_PAGE", ".It Va HostCapabilities", "\n.El\n", "\n.It Li ", "\n");
}

TESTS(test_each, test_bus, test_this_host, test_documented)
