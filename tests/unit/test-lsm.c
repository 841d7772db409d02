/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Labels of security modules: what generated profiles of AppArmor are made of and what the parser says of
 * them, ranges of SELinux, how labels are written and compared.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/capability.h"
#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/string.h"
#include "helper/lsm/apparmor-parts.h"
#include "helper/lsm/apparmor-profile.h"
#include "helper/lsm/apparmor-text.h"
#include "helper/lsm/lsm.h"
#include "helper/lsm/selinux-range.h"
#include "test.h"
#include "tree.h"

#define ABI "/etc/apparmor.d/abi"

static void test_conditions(void) {
        static const struct {
                const char *text;
                unsigned words;
                const char *expected; /* NULL: refused in line 2 */
        } cases[] = {
                {"a\n#when\nb",                                       0,                       "a\nb\n"        },
                { "a\n#when nesting\nb\n",                            0,                       "a\n"           },
                { "a\n#when nesting\nb\n",                            APPARMOR_NESTING,        "a\nb\n"        },
                { "a\n#when !nesting\tuser-namespace\nb\n#when\nc\n", APPARMOR_USER_NAMESPACE, "a\nb\nc\n"     },
                { "a\n#when !nesting user-namespace\nb\n#when\nc\n",  0,                       "a\nc\n"        },
                { "a\n#whenever\n",                                   0,                       "a\n#whenever\n"},
                { "a\n#when nestin\n",                                0,                       NULL            },
                { "a\n#when nesting nestings\n",                      0,                       NULL            },
                { "a\n#when !\n",                                     0,                       NULL            },
                { "a\n#when ! nesting\n",                             0,                       NULL            },
                { "",                                                 0,                       ""              },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text = NULL;
                unsigned line = 0;
                size_t size;
                FILE *stream = open_memstream(&text, &size);
                int r;

                REQUIRE(stream);
                r = apparmor_text_add(stream, cases[i].text, cases[i].words, &line);
                REQUIRE(fclose(stream) == 0);
                CHECK_INT(r, cases[i].expected ? 0 : -EBADMSG);
                if (cases[i].expected)
                        CHECK_STR(text, cases[i].expected);
                else
                        CHECK_INT(line, 2);
        }
}

static char *body_of(const Tree *tree, int expected, char *ret_cause, size_t size) {
        _cleanup_(apparmor_parts_clear) ApparmorParts parts = APPARMOR_PARTS_NULL;
        const char *const directories[] = { tree_path(tree, "etc/p"), tree_path(tree, "run/p"),
                                            tree_path(tree, "lib/p"), NULL };
        _cleanup_(definition_freep) Definition *definition = definition_new("x");
        Failure failure = {};
        char *body = NULL;
        int r;

        REQUIRE(definition);
        r = apparmor_parts_read(&failure, &tree->sources, directories, &parts);
        if (r == 0)
                r = apparmor_body(&failure, &parts, definition, 0, &body);
        CHECK_INT(r, expected);
        (void) snprintf(ret_cause, size, "%s", failure.cause);
        return body;
}

static void test_parts(void) {
        _cleanup_(tree_freep) Tree *tree = tree_new();
        _cleanup_free_ char *body = NULL, *none = NULL, *bad = NULL, *loose = NULL;
        char cause[sizeof((Failure *) NULL)->cause];

        none = body_of(tree, 0, cause, sizeof cause);
        CHECK_STR(none, "");

        tree_write(tree, "lib/p/20-b.aa", "lib b\n");
        tree_write(tree, "lib/p/10-a.aa", "lib a\n");
        tree_write(tree, "lib/p/30-c.aa", "lib c\n");
        tree_write(tree, "run/p/20-b.aa", "run b\n");
        tree_write(tree, "run/p/15-x.aa", "run x");
        tree_write(tree, "etc/p/15-x.aa", "etc x\n");
        tree_write(tree, "etc/p/15-x.aa.dpkg-new", "no\n");
        tree_link(tree, "etc/p/30-c.aa", "/dev/null");
        body = body_of(tree, 0, cause, sizeof cause);
        CHECK_STR(body, "lib a\netc x\nrun b\n");

        tree_write(tree, "etc/p/40-d.aa", "d\n#when what\n");
        bad = body_of(tree, -EBADMSG, cause, sizeof cause);
        CHECK_HAS(cause, "etc/p/40-d.aa:2: a condition is of these words: user-namespace, nesting");
        tree_write(tree, "etc/p/40-d.aa", "d\n");
        tree_mode(tree, "etc/p/40-d.aa", 0666);
        loose = body_of(tree, -EPERM, cause, sizeof cause);
        CHECK_HAS(cause, "etc/p/40-d.aa is not a file that root alone can write");
}

static void test_words(void) {
        _cleanup_(tree_freep) Tree *tree = tree_new();
        _cleanup_(definition_freep) Definition *definition = definition_new("x");
        const LaunchPlan plan = { .definition = definition },
                         nested = { .definition = definition, .nested = true };
        const unsigned container =
                        APPARMOR_USER_NAMESPACE | APPARMOR_CGROUP_NAMESPACE | APPARMOR_NETWORK_NAMESPACE;
        _cleanup_close_ int kernel = -EBADF;

        REQUIRE(definition);
        CHECK_INT(apparmor_words(&plan, -EBADF, tree_path(tree, "abi")), container);

        /* What the kernel can and the parser cannot is left alone, and the other way round. */
        tree_write(tree, "kernel/features/namespaces/mask", "userns_create\n");
        tree_write(tree, "kernel/features/namespaces/profile", "yes\n");
        tree_write(tree, "kernel/features/domain/stack", "yes\n");
        tree_write(tree, "kernel/features/mount/move_mount", "detached\n");
        tree_write(tree, "kernel/policy/namespaces/none", "");
        tree_write(tree, "abi/3.0", "");
        kernel = open(tree_path(tree, "kernel"), O_PATH | O_DIRECTORY | O_CLOEXEC);
        REQUIRE(kernel >= 0);
        CHECK_INT(apparmor_words(&plan, kernel, tree_path(tree, "abi")),
                  container | APPARMOR_ABI_3 | APPARMOR_STACKING | APPARMOR_DETACHED_MOUNTS);
        tree_write(tree, "abi/4.0", "");
        definition->nesting = true;
        definition->namespaces &= ~(unsigned) NAMESPACE_NET;
        CHECK_INT(apparmor_words(&plan, kernel, tree_path(tree, "abi")),
                  APPARMOR_USER_NAMESPACE | APPARMOR_CGROUP_NAMESPACE | APPARMOR_NESTING | APPARMOR_ABI_3 |
                                  APPARMOR_ABI_4 | APPARMOR_OPTION_NOSYMFOLLOW | APPARMOR_RULE_USERNS |
                                  APPARMOR_STACKING | APPARMOR_NAMESPACES | APPARMOR_DETACHED_MOUNTS);
        CHECK_INT(apparmor_words(&nested, kernel, tree_path(tree, "abi")) & APPARMOR_NAMESPACES, 0);
        tree_write(tree, "kernel/features/ipc/posix_mqueue", "");
        tree_write(tree, "kernel/features/io_uring/mask", "");
        tree_write(tree, "kernel/features/network_v9/af_unix", "");
        CHECK_INT(apparmor_words(&plan, kernel, tree_path(tree, "abi")) &
                                  (APPARMOR_RULE_MQUEUE | APPARMOR_RULE_IO_URING | APPARMOR_RULE_UNIX),
                  APPARMOR_RULE_MQUEUE | APPARMOR_RULE_IO_URING | APPARMOR_RULE_UNIX);
}

/* 0 if the parser takes it. */
static int parser_refuses(const char *text, const char *abi) {
        _cleanup_free_ char *features = string_printf("--features-file=" ABI "/%s", abi);
        char *const arguments[] = {
                (char *) "apparmor_parser",
                (char *) "--skip-kernel-load",
                (char *) "--skip-cache",
                (char *) "--stdout",
                (char *) "--quiet",
                features,
                NULL,
        };
        _cleanup_close_ int input = memfd_create("profile", MFD_CLOEXEC),
                            null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        int status = 0;
        pid_t pid;

        REQUIRE(features && input >= 0 && null >= 0);
        REQUIRE(fd_write_all(input, text, strlen(text)) == 0 && lseek(input, 0, SEEK_SET) == 0);
        pid = fork();
        if (pid == 0) {
                (void) dup2(input, STDIN_FILENO);
                (void) dup2(null, STDOUT_FILENO);
                (void) execv(APPARMOR_PARSER, arguments);
                _exit(127);
        }
        REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid);
        return status;
}

/* The parser of this machine takes what berth installs, for every kind of container. */
static void test_compiles(void) {
        _cleanup_(apparmor_parts_clear) ApparmorParts parts = APPARMOR_PARTS_NULL;
        const char *const directories[] = { getenv("BERTH_PARTS"), NULL };
        const DefinitionSources sources = { .trusted_uid = getuid(), .anchor = directories[0] };
        bool newer = access(ABI "/4.0", F_OK) == 0;
        Failure failure = {};

        if (access(APPARMOR_PARSER, X_OK) < 0 || access(ABI "/3.0", F_OK) < 0) {
                printf("there is no apparmor_parser here: not tried\n");
                return;
        }

        REQUIRE(apparmor_parts_read(&failure, &sources, directories, &parts) == 0);
        CHECK_INT(parts.n, 4);
        for (unsigned kind = 0; kind < 32; kind++) {
                const Definition definition = {};
                _cleanup_free_ char *body = NULL, *text = NULL;
                unsigned words = (kind & 15) | APPARMOR_ABI_3;

                if (kind & 16)
                        words |= APPARMOR_STACKING | APPARMOR_NAMESPACES | APPARMOR_RULE_UNIX |
                                 APPARMOR_DETACHED_MOUNTS;
                if (newer)
                        words |= APPARMOR_ABI_4 | APPARMOR_RULE_USERNS | APPARMOR_RULE_MQUEUE |
                                 APPARMOR_RULE_IO_URING | APPARMOR_OPTION_NOSYMFOLLOW;
                REQUIRE(apparmor_body(&failure, &parts, &definition, words, &body) == 0);
                text = apparmor_profile_text("berth-test", body, words);
                REQUIRE(text);
                CHECK_INT(parser_refuses(text, newer ? "4.0" : "3.0"), 0);
        }
        CHECK(parser_refuses("profile x { nonsense }\n", "3.0") != 0);
}

static void test_holds(void) {
        static const struct {
                const char *label, *current;
                bool holds;
        } cases[] = {
                {"berth-1",                        "berth-1 (enforce)",                     true },
                { "berth-1",                       "berth-1 (complain)",                    false},
                { "berth-1",                       "berth-12 (enforce)",                    false},
                { "berth-12",                      "berth-1 (enforce)",                     false},
                { "berth-1",                       "unconfined",                            false},
                { "berth-1",                       "",                                      false},
                { "berth-1",                       "outer//&berth-1 (enforce)",             true },
                { "berth-1",                       "berth-1//null-/sbin/init (enforce)",    false},
                { "berth-1//&:berth-a:unconfined", "berth-1//&:berth-a:unconfined (mixed)", true },
                { "berth-1//&:berth-a:unconfined", ":berth-a:unconfined//&berth-1 (mixed)", true },
                { "berth-1//&:berth-a:unconfined", "berth-1 (enforce)",                     false},
                { "berth-1//&:berth-a:unconfined", ":berth-a:unconfined (mixed)",           false},
                { "/usr/bin/man",                  "/usr/bin/man (complain)",               true },
                { "odd (name)",                    "odd (name) (enforce)",                  true },
                { "unconfined",                    "unconfined",                            true },
                { "unconfined",                    "berth-1 (enforce)",                     false},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                if (lsm_apparmor.holds(cases[i].label, cases[i].current) != cases[i].holds)
                        test_fail(__FILE__, __LINE__, "%s and %s", cases[i].label, cases[i].current);
        CHECK(lsm_selinux.holds("a:b:c:s0:c1,c2", "a:b:c:s0:c1,c2"));
        CHECK(!lsm_selinux.holds("a:b:c:s0:c1,c2", "a:b:c:s0:c1,c3"));
}

/* Whose policy namespace is the guest's to fill: the kernel asks for no less. */
static void test_loads(void) {
        _cleanup_(definition_freep) Definition *definition = definition_new("x");
        const LaunchPlan plan = { .definition = definition };
        Lsm lsm = {
                .labels = {strdup("berth-1//&:berth-x:unconfined"), strdup("a:b:c:s0")}
        };

        REQUIRE(definition);
        CHECK(!lsm_loads_policy(&lsm, &plan));
        definition->capabilities.added = CAPABILITY_BIT(CAP_MAC_ADMIN);
        CHECK(lsm_loads_policy(&lsm, &plan));
        definition->user_namespace = false;
        CHECK(!lsm_loads_policy(&lsm, &plan));
        definition->user_namespace = true;
        lsm_done(&lsm);
        CHECK(!lsm_loads_policy(&lsm, &plan));
        lsm.labels[0] = strdup("berth-1");
        CHECK(!lsm_loads_policy(&lsm, &plan));
        lsm_done(&lsm);
}

/* Where there are several modules, each has files of its own beside those that all once shared. */
static void test_apply(void) {
        _cleanup_(tree_freep) Tree *tree = tree_new();
        Lsm lsm = {
                .labels = {strdup("berth-1"), NULL}
        };
        _cleanup_close_ int proc = -EBADF, other = -EBADF;
        _cleanup_free_ char *own = NULL, *shared = NULL, *old = NULL, *selinux = NULL;
        Failure failure = {};

        tree_write(tree, "new/self/attr/apparmor/exec", "");
        tree_write(tree, "new/self/attr/exec", "untouched");
        tree_write(tree, "old/self/attr/exec", "");
        proc = open(tree_path(tree, "new"), O_PATH | O_DIRECTORY | O_CLOEXEC);
        CHECK_INT(lsm_apply(&failure, &lsm, proc), 0);
        CHECK_INT(file_read(proc, "self/attr/apparmor/exec", 100, &own, NULL), 0);
        CHECK_STR(own, "exec berth-1");
        CHECK_INT(file_read(proc, "self/attr/exec", 100, &shared, NULL), 0);
        CHECK_STR(shared, "untouched");

        other = open(tree_path(tree, "old"), O_PATH | O_DIRECTORY | O_CLOEXEC);
        CHECK_INT(lsm_apply(&failure, &lsm, other), 0);
        CHECK_INT(file_read(other, "self/attr/exec", 100, &old, NULL), 0);
        CHECK_STR(old, "exec berth-1");

        lsm_done(&lsm);
        lsm.labels[1] = strdup("a:b:c:s0");
        CHECK_INT(lsm_apply(&failure, &lsm, proc), 0);
        CHECK_INT(file_read(proc, "self/attr/exec", 100, &selinux, NULL), 0);
        CHECK_HAS(selinux, "a:b:c:s0");
        CHECK_INT(unlinkat(other, "self/attr/exec", 0), 0);
        CHECK_INT(lsm_apply(&failure, &lsm, other), -EOPNOTSUPP);
        CHECK_INT(failure.step, STEP_LSM);
        lsm_done(&lsm);
}

static void test_ranges(void) {
        _cleanup_free_ char *first = selinux_complete("u:r:t", "a", 65536),
                            *last = selinux_complete("u:r:t:s0", "a", 4294901760U),
                            *named = selinux_complete("u:r:t", "a", 0),
                            *other = selinux_complete("u:r:t", "b", 0),
                            *own = selinux_complete("u:r:t:s0:c5,c6", "a", 65536),
                            *between = selinux_complete("u:r:t", "b", 65536 + 1000);

        CHECK_STR(first, "u:r:t:s0:c0,c2");
        CHECK_STR(between, first); /* the same ids */
        CHECK_STR(last, "u:r:t:s0:c194,c362");
        CHECK_STR(own, "u:r:t:s0:c5,c6");
        CHECK(!streq(named, other));

        /* No two blocks of ids have the same pair. */
        for (unsigned block = 1; block < 3000; block++) {
                _cleanup_free_ char *a = selinux_complete("u:r:t", "", block * 65536),
                                    *b = selinux_complete("u:r:t", "", (block + 1) * 65536);
                unsigned low, high, next_low, next_high;

                REQUIRE(sscanf(a, "u:r:t:s0:c%u,c%u", &low, &high) == 2);
                REQUIRE(sscanf(b, "u:r:t:s0:c%u,c%u", &next_low, &next_high) == 2);
                CHECK(low < high && high < 1024);
                CHECK((next_high == high && next_low == low + 1) ||
                      (next_high == high + 1 && next_low == 0));
        }
}

TESTS(test_conditions, test_parts, test_words, test_compiles, test_holds, test_loads, test_apply, test_ranges)
