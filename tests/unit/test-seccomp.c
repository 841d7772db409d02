/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * System call filters: the syntax of profiles, what the programs made of them decide (they are run here as
 * the kernel runs them), and the profiles that berth installs.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/string.h"
#include "filters.h"
#include "test.h"

static void test_last_rule_counts(void) {
        _cleanup_(filter_clear) Filter filter = filter_of("default errno ENOSYS\n"
                                                          "group @files openat\n"
                                                          "\topen unlink # as one line\n"
                                                          "\n"
                                                          "errno EPERM @files read\n"
                                                          "allow open\n"
                                                          "kill read\n"
                                                          "errno 77 read\n"
                                                          "log write\n"
                                                          "trap close\n"
                                                          "notify mkdir\n");

        CHECK_INT(filter_ask(&filter, "openat", 0, 0, 0), ERROR(EPERM));
        CHECK_INT(filter_ask(&filter, "unlink", 0, 0, 0), ERROR(EPERM));
        CHECK_INT(filter_ask(&filter, "open", 0, 0, 0), ALLOW);
        CHECK_INT(filter_ask(&filter, "read", 0, 0, 0), ERROR(77));
        CHECK_INT(filter_ask(&filter, "write", 0, 0, 0), SECCOMP_RET_LOG);
        CHECK_INT(filter_ask(&filter, "close", 0, 0, 0), SECCOMP_RET_TRAP);
        CHECK_INT(filter_ask(&filter, "mkdir", 0, 0, 0), SECCOMP_RET_USER_NOTIF);
        CHECK_INT(filter_ask(&filter, "rmdir", 0, 0, 0), ERROR(ENOSYS));
        CHECK_INT(filter_run(&filter, AUDIT_ARCH_X86_64, 5000, NULL), ERROR(ENOSYS));
        CHECK_INT(filter_run(&filter, AUDIT_ARCH_X86_64, UINT32_MAX, NULL), ERROR(ENOSYS));
        CHECK_INT(filter_run(&filter, AUDIT_ARCH_AARCH64, 0, NULL), SECCOMP_RET_KILL_PROCESS);
}

static void test_conditions(void) {
        _cleanup_(filter_clear) Filter filter =
                        filter_of("errno EPERM socket ioctl read write lseek dup2\n"
                                  "allow socket\n"
                                  "errno EAFNOSUPPORT socket if arg0 == AF_ALG\n"
                                  "errno EACCES socket if arg0 == AF_NETLINK and arg2 == NETLINK_AUDIT\n"
                                  "allow ioctl if arg1 & 0xffffffff != TIOCSTI\n"
                                  "allow read if arg0 < 0x100000001\n"
                                  "allow write if arg0 >= 0x100000001\n"
                                  "allow lseek if arg1 > 5 and arg1 <= 0x200000000\n"
                                  "errno EDOM lseek if arg1 == 7\n"
                                  "errno EDOM dup2 if arg0 == 1\n"
                                  "allow dup2\n"
                                  "errno EDOM getpgid if arg0 == 0x500000006\n");

        CHECK_INT(filter_ask(&filter, "socket", AF_INET, 0, 0), ALLOW);
        CHECK_INT(filter_ask(&filter, "socket", AF_ALG, 0, 0), ERROR(EAFNOSUPPORT));
        CHECK_INT(filter_ask(&filter, "socket", AF_NETLINK, 0, 9), ERROR(EACCES));
        CHECK_INT(filter_ask(&filter, "socket", AF_NETLINK, 0, 8), ALLOW);
        CHECK_INT(filter_ask(&filter, "socket", 1, 0, 9), ALLOW);
        /* 64 bits unless a mask says otherwise */
        CHECK_INT(filter_ask(&filter, "socket", AF_ALG | UINT64_C(1) << 32, 0, 0), ALLOW);
        CHECK_INT(filter_ask(&filter, "ioctl", 0, 0x5412, 0), ERROR(EPERM));
        CHECK_INT(filter_ask(&filter, "ioctl", 0, UINT64_C(0x100005412), 0), ERROR(EPERM));
        CHECK_INT(filter_ask(&filter, "ioctl", 0, 0x5413, 0), ALLOW);
        CHECK_INT(filter_ask(&filter, "read", UINT64_C(0x100000000), 0, 0), ALLOW);
        CHECK_INT(filter_ask(&filter, "read", 0xffffffff, 0, 0), ALLOW);
        CHECK_INT(filter_ask(&filter, "read", UINT64_C(0x100000001), 0, 0), ERROR(EPERM));
        CHECK_INT(filter_ask(&filter, "read", UINT64_C(0x200000000), 0, 0), ERROR(EPERM));
        CHECK_INT(filter_ask(&filter, "write", UINT64_C(0x100000001), 0, 0), ALLOW);
        CHECK_INT(filter_ask(&filter, "write", UINT64_C(0x200000000), 0, 0), ALLOW);
        CHECK_INT(filter_ask(&filter, "write", UINT64_C(0x100000000), 0, 0), ERROR(EPERM));
        /* two comparisons with one argument, and the fate when none fits */
        CHECK_INT(filter_ask(&filter, "lseek", 0, 5, 0), ERROR(EPERM));
        CHECK_INT(filter_ask(&filter, "lseek", 0, 6, 0), ALLOW);
        CHECK_INT(filter_ask(&filter, "lseek", 0, 7, 0), ERROR(EDOM));
        CHECK_INT(filter_ask(&filter, "lseek", 0, UINT64_C(0x200000000), 0), ALLOW);
        CHECK_INT(filter_ask(&filter, "lseek", 0, UINT64_C(0x200000001), 0), ERROR(EPERM));
        /* a later rule without a condition takes the place of all before */
        CHECK_INT(filter_ask(&filter, "dup2", 1, 0, 0), ALLOW);
        /* registers of 32 bits: the upper half is not looked at */
        CHECK_INT(filter_ask_x86(&filter, "read", 0, 0, 0), ALLOW);
        CHECK_INT(filter_ask_x86(&filter, "write", 1, 0, 0), ALLOW);
        CHECK_INT(filter_ask_x86(&filter, "write", 0, 0, 0), ERROR(EPERM));
        CHECK_INT(filter_ask_x86(&filter, "getpgid", 6, 0, 0), ERROR(EDOM));
        CHECK_INT(filter_ask(&filter, "getpgid", 6, 0, 0), ERROR(ENOSYS));
        CHECK_INT(filter_ask_x86(&filter, "socket", AF_ALG, 0, 0), ERROR(EAFNOSUPPORT));
}

/* More than a conditional jump of the kernel's leads over. */
static void test_long(void) {
        _cleanup_(filter_clear) Filter filter = FILTER_NULL;
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        REQUIRE(stream);
        fputs("[x86-64]\n", stream);
        for (int i = 0; i < 330; i++) {
                _cleanup_free_ char *call = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, i);

                REQUIRE(call);
                fprintf(stream, "errno %d %s if arg0 == %d\n", i + 1, call, i);
        }
        REQUIRE(fclose(stream) == 0);
        filter = filter_of(text);
        CHECK(filter.n > 4 * UINT8_MAX);
        for (uint32_t i = 0; i < 330; i++) {
                const uint64_t right[6] = { i }, wrong[6] = { i + 1 };

                CHECK_INT(filter_run(&filter, AUDIT_ARCH_X86_64, i, right), ERROR(i + 1));
                CHECK_INT(filter_run(&filter, AUDIT_ARCH_X86_64, i, wrong), ERROR(ENOSYS));
        }
}

static void test_architectures(void) {
        _cleanup_(filter_clear) Filter filter = filter_of("default allow\n"
                                                          "[x86]\n"
                                                          "errno EPERM mkdir\n"
                                                          "default errno EXDEV\n"
                                                          "[x32 x86-64]\n"
                                                          "errno EACCES rmdir\n"
                                                          "[x32]\n"
                                                          "default kill\n"
                                                          "[*]\n"
                                                          "errno EDOM unlink\n");
        uint32_t x32 = call_of("rmdir", SCMP_ARCH_X32);

        CHECK(x32 & 0x40000000);
        CHECK_INT(filter_ask(&filter, "mkdir", 0, 0, 0), ALLOW);
        CHECK_INT(filter_ask_x86(&filter, "mkdir", 0, 0, 0), ERROR(EPERM));
        CHECK_INT(filter_ask(&filter, "rmdir", 0, 0, 0), ERROR(EACCES));
        CHECK_INT(filter_ask_x86(&filter, "rmdir", 0, 0, 0), ERROR(EXDEV));
        CHECK_INT(filter_run(&filter, AUDIT_ARCH_X86_64, x32, NULL), ERROR(EACCES));
        CHECK_INT(filter_run(&filter, AUDIT_ARCH_X86_64, call_of("mkdir", SCMP_ARCH_X32), NULL),
                  SECCOMP_RET_KILL_PROCESS);
        CHECK_INT(filter_run(&filter, AUDIT_ARCH_X86_64, 0x3fffffff, NULL), ALLOW);
        CHECK_INT(filter_run(&filter, AUDIT_ARCH_X86_64, 0x40000000, NULL), SECCOMP_RET_KILL_PROCESS);
        CHECK_INT(filter_ask(&filter, "unlink", 0, 0, 0), ERROR(EDOM));
        CHECK_INT(filter_ask_x86(&filter, "unlink", 0, 0, 0), ERROR(EDOM));
        CHECK_INT(filter_run(&filter, AUDIT_ARCH_X86_64, call_of("unlink", SCMP_ARCH_X32), NULL),
                  ERROR(EDOM));
}

static void test_refused(void) {
        static const struct {
                const char *text, *message;
        } samples[] = {
                {"permit read\n",                                "test:1: permit is not known"                },
                { "allow\n",                                     "names no call"                              },
                { "allow nosuchcall\n",                          "nosuchcall is no call that libseccomp knows"},
                { "allow @nosuch\n",                             "@nosuch is no group"                        },
                { "\n\nallow re/ad\n",                           "test:3: re/ad is no name"                   },
                { "errno read\n",                                "behind errno"                               },
                { "errno 0 read\n",                              "behind errno"                               },
                { "errno 4096 read\n",                           "behind errno"                               },
                { "default\n",                                   "the default is"                             },
                { "default notify\n",                            "the default is"                             },
                { "default allow read\n",                        "the default is"                             },
                { "notify sendmsg\n",                            "notify cannot be for sendmsg"               },
                { "allow read if\n",                             "arg0 to arg5"                               },
                { "allow read if arg6 == 1\n",                   "arg0 to arg5"                               },
                { "allow read if arg0 = 1\n",                    "compares with =="                           },
                { "allow read if arg0 == NO_SUCH\n",             "a name that"                                },
                { "allow read if arg0 == 0x10000000000000000\n", "with a number"                              },
                { "allow read if arg0 & 0xff == 0x100\n",        "the mask takes away"                        },
                { "allow read if arg0 & 0xff < 3\n",             "== and != only"                             },
                { "allow read if arg0 == 1 or arg0 == 2\n",      "write two rules"                            },
                { "allow read if arg0 == 1 and\n",               "arg0 to arg5"                               },
                { "[mips]\n",                                    "mips is no architecture"                    },
                { "[x86\n",                                      "alone in its line"                          },
                { "[]\n",                                        "names no architecture"                      },
                { "group files read\n",                          "a group is"                                 },
                { "group @files\n",                              "a group is"                                 },
                { "number read\n",                               "is given as"                                },
                { "extends other\n",                             "other cannot be extended"                   },
                { "extends\n",                                   "cannot be extended"                         },
        };

        for (size_t i = 0; i < ELEMENTSOF(samples); i++) {
                _cleanup_(filter_clear) Filter filter = FILTER_NULL;
                _cleanup_free_ char *message = NULL;

                CHECK_INT(filter_try(samples[i].text, X86_FAMILY, &filter, &message), -EBADMSG);
                if (!message || !strstr(message, samples[i].message))
                        test_fail(__FILE__, __LINE__, "%s: \"%s\"", samples[i].text, message ?: "");
        }
}

/* Profiles in a directory of the source tree, as files. */
static int read_profile(const char *text, SeccompBundle *bundle, char **ret_message) {
        const char *directory = getenv("BERTH_PROFILES");
        const char *const directories[] = { directory, NULL };
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        int r;

        REQUIRE(directory);
        REQUIRE(seccomp_bundle_add_take(bundle, "", "test", strdup(text), strlen(text)) == 0);
        r = seccomp_bundle_complete(bundle, directories, NULL, &problems);
        if (ret_message)
                *ret_message = problems.n > 0 ? problem_format(problems.list) : NULL;
        return r;
}

static Filter installed(const char *text, unsigned architectures) {
        _cleanup_(seccomp_bundle_clear) SeccompBundle bundle = SECCOMP_BUNDLE_NULL,
                                                      copy = SECCOMP_BUNDLE_NULL;
        _cleanup_free_ char *printed = NULL, *message = NULL;
        Filter filter = FILTER_NULL;
        size_t size;
        int r;

        REQUIRE(read_profile(text, &bundle, NULL) == 0);
        /* the way that it takes to the compiler */
        REQUIRE(seccomp_bundle_print(&bundle, &printed, &size) == 0);
        REQUIRE(seccomp_bundle_parse(printed, size, &copy) == 0);
        CHECK_INT(copy.n, bundle.n);
        r = filter_of_bundle(&copy, architectures, &filter, &message);
        if (r < 0)
                fprintf(stderr, "%s\n", message ?: "?");
        REQUIRE(r == 0);
        return filter;
}

static void test_installed(void) {
        static const char *const denied[] = { "bpf",
                                              "perf_event_open",
                                              "userfaultfd",
                                              "io_uring_setup",
                                              "open_by_handle_at",
                                              "fanotify_init",
                                              "init_module",
                                              "kexec_load",
                                              "swapon",
                                              "iopl",
                                              "syslog",
                                              "acct",
                                              "quotactl",
                                              "settimeofday" };
        static const char *const usual[] = { "read",      "mount",   "move_mount", "clone3", "unshare",
                                             "setns",     "seccomp", "prctl",      "ptrace", "reboot",
                                             "fchmodat2", "capset",  "pivot_root" };
        _cleanup_(filter_clear)
                        Filter plain = installed("extends default\n", X86_FAMILY),
                               privileged = installed("extends privileged\n", X86_FAMILY),
                               nesting = installed("extends privileged\nextends nesting\n", X86_FAMILY),
                               strict = installed("extends strict\n", X86_FAMILY),
                               arm = installed("extends default\n", ARM_FAMILY),
                               other = installed("extends default\nallow bpf\n", X86_FAMILY);

        for (size_t i = 0; i < ELEMENTSOF(denied); i++) {
                CHECK_INT(filter_ask(&plain, denied[i], 0, 0, 0), ERROR(EPERM));
                CHECK_INT(filter_ask(&privileged, denied[i], 0, 0, 0), ERROR(EPERM));
                CHECK_INT(filter_ask(&strict, denied[i], 0, 0, 0), ERROR(EPERM));
        }
        for (size_t i = 0; i < ELEMENTSOF(usual); i++) {
                CHECK_INT(filter_ask(&plain, usual[i], 0, 0, 0), ALLOW);
                CHECK_INT(filter_ask(&privileged, usual[i], 0, 0, 0), ALLOW);
        }
        for (uint32_t number = 470; number < 1000; number++)
                CHECK_INT(filter_run(&plain, AUDIT_ARCH_X86_64, number, NULL), ERROR(ENOSYS));
        CHECK_INT(filter_run(&plain, AUDIT_ARCH_X86_64, 462, NULL),
                  ALLOW); /* mseal, younger than libseccomp */
        CHECK_INT(filter_run(&plain, AUDIT_ARCH_X86_64, 0x40000000 | 462, NULL), ALLOW);
        CHECK_INT(filter_ask(&plain, "uselib", 0, 0, 0), ERROR(ENOSYS));

        CHECK_INT(filter_ask(&plain, "ioctl", 0, UINT64_C(0xffffffff00005412), 0), ERROR(EPERM));
        CHECK_INT(filter_ask_x86(&plain, "ioctl", 0, 0x541c, 0), ERROR(EPERM));
        CHECK_INT(filter_ask(&plain, "socket", AF_ALG, 0, 0), ERROR(EAFNOSUPPORT));
        /* The kernel looks at the lower half only. */
        CHECK_INT(filter_ask(&plain, "socket", AF_ALG | UINT64_C(1) << 32, 0, 0), ERROR(EAFNOSUPPORT));
        CHECK_INT(filter_ask(&plain, "socket", AF_NETLINK | UINT64_C(1) << 40, 0, 9 | UINT64_C(1) << 63),
                  ERROR(EAFNOSUPPORT));
        CHECK_INT(filter_ask(&plain, "socket", AF_INET, 0, 0), ALLOW);
        CHECK_INT(filter_ask_x86(&plain, "socket", AF_VSOCK, 0, 0), ERROR(EAFNOSUPPORT));
        CHECK_INT(filter_ask(&plain, "socket", AF_NETLINK, 0, 9), ERROR(EAFNOSUPPORT));
        CHECK_INT(filter_ask(&plain, "keyctl", 0, 0, 0), ALLOW);
        CHECK_INT(filter_ask(&plain, "request_key", 1, 1, 0), ALLOW);
        CHECK_INT(filter_ask(&plain, "request_key", 1, 1, 1), ERROR(EPERM));
        CHECK_INT(filter_ask(&privileged, "keyctl", 0, 0, 0), ERROR(EPERM));
        CHECK_INT(filter_ask(&nesting, "keyctl", 0, 0, 0), ALLOW);
        CHECK_INT(filter_ask(&nesting, "bpf", 0, 0, 0), ALLOW);
        CHECK_INT(filter_ask(&nesting, "request_key", 0, 0, 0), ERROR(EPERM));
        CHECK_INT(filter_ask(&plain, "mknod", 0, S_IFCHR | 0600, 0x103), ERROR(EPERM));
        CHECK_INT(filter_ask(&plain, "mknod", 0, S_IFCHR | 0600, 0), ALLOW);
        CHECK_INT(filter_ask(&plain, "mknod", 0, S_IFBLK, 0), ERROR(EPERM));
        CHECK_INT(filter_ask(&plain, "mknodat", 0, 0, S_IFIFO), ALLOW);
        CHECK_INT(filter_ask(&privileged, "mknod", 0, S_IFCHR, 0x103), ALLOW);
        CHECK_INT(filter_ask(&strict, "mount", 0, 0, 0), ERROR(EPERM));
        CHECK_INT(filter_ask(&strict, "clone3", 0, 0, 0), ERROR(ENOSYS));
        CHECK_INT(filter_ask(&strict, "clone", 0x10000000, 0, 0), ERROR(EPERM));
        CHECK_INT(filter_ask(&strict, "clone", 0x11, 0, 0), ALLOW);
        CHECK_INT(filter_run(&arm, AUDIT_ARCH_AARCH64, call_of("bpf", SCMP_ARCH_AARCH64), NULL),
                  ERROR(EPERM));
        CHECK_INT(filter_run(&arm, AUDIT_ARCH_AARCH64, call_of("openat", SCMP_ARCH_AARCH64), NULL), ALLOW);
        CHECK_INT(filter_run(&arm, AUDIT_ARCH_ARM, call_of("open", SCMP_ARCH_ARM), NULL), ALLOW);
        CHECK_INT(filter_run(&arm, AUDIT_ARCH_X86_64, 0, NULL), SECCOMP_RET_KILL_PROCESS);
        CHECK_INT(filter_ask(&other, "bpf", 0, 0, 0), ALLOW);
        CHECK(plain.n < BPF_MAXINSNS / 2 && strict.n < BPF_MAXINSNS / 2);
}

static void test_extends(void) {
        _cleanup_(seccomp_bundle_clear) SeccompBundle missing = SECCOMP_BUNDLE_NULL,
                                                      odd = SECCOMP_BUNDLE_NULL,
                                                      circle = SECCOMP_BUNDLE_NULL;
        _cleanup_(filter_clear) Filter filter = FILTER_NULL;
        _cleanup_free_ char *message = NULL, *other = NULL, *third = NULL;
        char *text = strdup("# x\nextends a\n");

        CHECK_INT(read_profile("allow read\nextends no-such\n", &missing, &message), -EBADMSG);
        CHECK(message && strstr(message, "test:2: the profile no-such is in none"));
        CHECK_INT(read_profile("extends ../groups\n", &odd, &other), -EBADMSG);
        CHECK(other && strstr(other, "cannot be: a name is letters"));

        REQUIRE(seccomp_bundle_add_take(&circle, "", "first", strdup("extends a\n"), 10) == 0);
        REQUIRE(seccomp_bundle_add_take(&circle, "a", "second", text, strlen(text)) == 0);
        CHECK_INT(filter_of_bundle(&circle, X86_FAMILY, &filter, &third), -EBADMSG);
        CHECK_STR(third, "second:2: a extends itself, by this line or others");
}

/* A section is for the lines of its own file, and one that was read before is not read again. */
static void test_extends_in_sections(void) {
        _cleanup_(filter_clear) Filter filter =
                        installed("[x86]\n"
                                  "extends default\n"
                                  "errno EDOM mkdir\n"
                                  "[*]\n"
                                  "extends default\n"
                                  "kill rmdir\n"
                                  "extends default\n",
                                  X86_FAMILY);

        CHECK_INT(filter_ask(&filter, "bpf", 0, 0, 0), ERROR(EPERM));
        CHECK_INT(filter_ask(&filter, "mkdir", 0, 0, 0), ALLOW);
        CHECK_INT(filter_ask_x86(&filter, "mkdir", 0, 0, 0), ERROR(EDOM));
        CHECK_INT(filter_ask(&filter, "rmdir", 0, 0, 0), SECCOMP_RET_KILL_PROCESS);
}

/* Programs have the names of what they are made of. */
static void test_names(void) {
        char first[SHA256_TEXT_SIZE], second[SHA256_TEXT_SIZE];

        seccomp_bundle_name("aa", 2, first);
        seccomp_bundle_name("aa", 2, second);
        CHECK_STR(first, second);
        CHECK_INT(strlen(first), 64);
        seccomp_bundle_name("ab", 2, second);
        CHECK(strcmp(first, second) != 0);
}

static void test_bundles(void) {
        static const char *const broken[] = { "",         "a",        "a 1\n",    "a 1 x\n",
                                              "a 2 x\nb", "a x y\nb", "a 1 x\nbc" };
        SeccompBundle bundle = SECCOMP_BUNDLE_NULL;

        for (size_t i = 0; i < ELEMENTSOF(broken); i++)
                CHECK_INT(seccomp_bundle_parse(broken[i], strlen(broken[i]), &bundle), -EBADMSG);
        CHECK_INT(seccomp_bundle_parse("a 1 x y\nb", 9, &bundle), 0);
        CHECK_INT(bundle.n, 1);
        CHECK_STR(bundle.sources[0].label, "x y");
        CHECK_STR(bundle.sources[0].text, "b");
        seccomp_bundle_clear(&bundle);
}

/* The same profile by libseccomp's own compiler, for all calls of all three architectures. */
static void test_like_libseccomp(void) {
        static const char *const allowed[] = { "read", "openat", "socketcall", "mmap2",
                                               "mmap", "clone3", "futex",      "stat" };
        static const struct {
                uint32_t token, audit, first;
        } architectures[] = {
                {SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, 0         },
                { SCMP_ARCH_X32,   AUDIT_ARCH_X86_64, 0x40000000},
                { SCMP_ARCH_X86,   AUDIT_ARCH_I386,   0         },
        };
        _cleanup_(filter_clear) Filter ours =
                        filter_of("default errno EXDEV\n"
                                  "allow read openat socketcall mmap2 mmap clone3 futex stat\n"
                                  "errno EDOM dup2 if arg0 == 0x500000006 and arg1 & 0xf0 == 0x30\n");
        scmp_filter_ctx context = seccomp_init(SCMP_ACT_ERRNO(EXDEV));
        int fd = memfd_create("filter", MFD_CLOEXEC), r = 0;
        _cleanup_free_ char *data = NULL;
        Filter theirs = FILTER_NULL;
        size_t size = 0;

        REQUIRE(context && fd >= 0);
        (void) seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
        for (size_t i = 0; i < ELEMENTSOF(architectures); i++) {
                r = seccomp_arch_add(context, architectures[i].token);
                REQUIRE(r == 0 || r == -EEXIST);
        }
        for (size_t i = 0; i < ELEMENTSOF(allowed); i++)
                REQUIRE(seccomp_rule_add(
                                        context, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(allowed[i]),
                                        0) == 0);
        REQUIRE(seccomp_rule_add(
                                context, SCMP_ACT_ERRNO(EDOM), SCMP_SYS(dup2), 2,
                                SCMP_A0(SCMP_CMP_EQ, UINT64_C(0x500000006)),
                                SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf0, 0x30)) == 0);
        REQUIRE(seccomp_export_bpf(context, fd) == 0);
        seccomp_release(context);
        REQUIRE(lseek(fd, 0, SEEK_SET) == 0 && fd_read_all(fd, 1 << 20, &data, &size) == 0);
        theirs = (Filter){ .instructions = (void *) data, .n = size / sizeof(struct sock_filter) };
        (void) close(fd);

        for (size_t i = 0; i < ELEMENTSOF(architectures); i++)
                for (uint32_t number = 0; number < 600; number++) {
                        static const uint64_t arguments[][6] = {
                                {    },
                                {   UINT64_C(0x500000006), 0x35 },
                                { 6, 0x30 }
                        };

                        for (size_t j = 0; j < ELEMENTSOF(arguments); j++) {
                                uint32_t nr = architectures[i].first | number;

                                /* Upper halves: libseccomp leaves those of x32 away, which the kernel does
                                 * not. */
                                if (architectures[i].token != SCMP_ARCH_X86_64 && j > 0)
                                        continue;
                                CHECK_INT(filter_run(&ours, architectures[i].audit, nr, arguments[j]),
                                          filter_run(&theirs, architectures[i].audit, nr, arguments[j]));
                        }
                }
}

TESTS(test_last_rule_counts,
      test_conditions,
      test_long,
      test_architectures,
      test_refused,
      test_installed,
      test_extends,
      test_extends_in_sections,
      test_names,
      test_bundles,
      test_like_libseccomp)
