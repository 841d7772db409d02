/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What becomes of LXC's system call profiles.
 */
#include <errno.h>
#include <string.h>

#include "basic/cleanup.h"
#include "filters.h"
#include "seccomp/lxc.h"
#include "test.h"

static void test_lxc(void) {
        static const char text[] = "2\n"
                                   "denylist\n"
                                   "[all]\n"
                                   "reject_force_umount  # comment\n"
                                   "kexec_load errno 1\n"
                                   "open_by_handle_at\n"
                                   "ioctl errno 13 [1,0x5412,SCMP_CMP_MASKED_EQ,0xffffffff]\n"
                                   "clone allow [0,5,SCMP_CMP_GE][1,0,SCMP_CMP_NE]\n"
                                   "mknod errno 1 [1, 8192, &=, 0xf000],[2,0,!=] # comment\n"
                                   "lseek trap [1,5,<]\n"
                                   "[x86]\n"
                                   "mkdir errno 1\n"
                                   "[PPC64LE]\n"
                                   "rmdir errno 1\n"
                                   "[ALL]\n"
                                   "swapon errno   13\n";
        static const char expected[] =
                        "default allow\n"
                        "[*]\n"
                        "errno EACCES umount2 if arg1 & MNT_FORCE == MNT_FORCE\n"
                        "errno 1 kexec_load\n"
                        "kill open_by_handle_at\n"
                        "errno 13 ioctl if arg1 & 0xffffffff == 0x5412\n"
                        "allow clone if arg0 >= 0x5 and arg1 != 0x0\n"
                        "errno 1 mknod if arg1 & 0xf000 == 0x2000 and arg2 != 0x0\n"
                        "trap lseek if arg1 < 0x5\n"
                        "[x86]\n"
                        "errno 1 mkdir\n"
                        "# [ppc64le] is left out: berth filters for x86-64, x86, x32, arm64 and arm.\n"
                        "[*]\n"
                        "errno 13 swapon\n";
        static const char *const broken[] = { "1\nallowlist\n",
                                              "2\n",
                                              "2\nlist\n",
                                              "2\nallowlist notify\n",
                                              "2\ndenylist\nread errno 0\n",
                                              "2\ndenylist\nread log\n",
                                              "2\ndenylist\nread kill [9,1,SCMP_CMP_EQ]\n",
                                              "2\ndenylist\nread kill [0,1]\n",
                                              "2\ndenylist\nread kill [0,1,=]\n",
                                              "2\ndenylist\nread kill [0,1,&=]\n",
                                              "2\ndenylist\n[sparc]\nread kill\n",
                                              "2\ndenylist\n../x kill\n" };
        static const char list[] = "2\nallowlist\nread\nwrite errno 1\n";
        _cleanup_(problems_clear) Problems none = PROBLEMS_EMPTY;
        _cleanup_(filter_clear) Filter filter = FILTER_NULL;
        _cleanup_free_ char *result = NULL, *allowed = NULL;

        CHECK_INT(lxc_import("test", text, strlen(text), &result, &none), 0);
        CHECK_STR(result, expected);
        filter = filter_of(result);
        CHECK_INT(filter_ask(&filter, "mkdir", 0, 0, 0), ALLOW);
        CHECK_INT(filter_ask_x86(&filter, "mkdir", 0, 0, 0), ERROR(EPERM));
        CHECK_INT(filter_ask(&filter, "umount2", 0, 1, 0), ERROR(EACCES));
        CHECK_INT(filter_ask(&filter, "umount2", 0, 2, 0), ALLOW);
        CHECK_INT(filter_ask(&filter, "rmdir", 0, 0, 0), ALLOW);
        CHECK_INT(filter_ask(&filter, "swapon", 0, 0, 0), ERROR(EACCES));

        CHECK_INT(lxc_import("test", list, strlen(list), &allowed, &none), 0);
        CHECK_STR(allowed, "default kill\nallow read\nerrno 1 write\n");

        for (size_t i = 0; i < ELEMENTSOF(broken); i++) {
                _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
                char *nothing = NULL;

                CHECK_INT(lxc_import("test", broken[i], strlen(broken[i]), &nothing, &problems), -EBADMSG);
                CHECK_INT(problems.n, 1);
        }
}

TESTS(test_lxc)
