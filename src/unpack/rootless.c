/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unpack/rootless.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/macro.h"
#include "basic/syscall.h"
#include "spec/limits.h"

/* The inode of the host's user namespace: PROC_USER_INIT_INO in include/linux/proc_ns.h. */
#define HOST_USER_NAMESPACE 0xEFFFFFFDU

#define CAPABILITY(number) (UINT32_C(1) << (number))

static const int calls[] = {
        SCMP_SYS(brk), SCMP_SYS(clock_gettime), SCMP_SYS(close), SCMP_SYS(exit), SCMP_SYS(exit_group),
        SCMP_SYS(fchmod), SCMP_SYS(fchmodat), SCMP_SYS(fchown), SCMP_SYS(fchownat), SCMP_SYS(fcntl),
        SCMP_SYS(fgetxattr), SCMP_SYS(flistxattr), SCMP_SYS(fsetxattr), SCMP_SYS(fstat), SCMP_SYS(fstatfs),
        SCMP_SYS(ftruncate), SCMP_SYS(futex), SCMP_SYS(getdents64), SCMP_SYS(getpid), SCMP_SYS(getrandom),
        SCMP_SYS(gettid), SCMP_SYS(linkat), SCMP_SYS(lseek), SCMP_SYS(madvise), SCMP_SYS(mkdirat), SCMP_SYS(mknodat),
        SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(mremap), SCMP_SYS(munmap), SCMP_SYS(newfstatat), SCMP_SYS(openat),
        SCMP_SYS(openat2), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(pread64), SCMP_SYS(prlimit64),
        SCMP_SYS(pwrite64), SCMP_SYS(read), SCMP_SYS(readlinkat), SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigaction),
        SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(sched_yield),
        SCMP_SYS(statx), SCMP_SYS(symlinkat), SCMP_SYS(tgkill), SCMP_SYS(unlinkat), SCMP_SYS(utimensat),
        SCMP_SYS(write), SCMP_SYS(writev),
};

static int change_root(int target) {
        struct mount_attr private = { .propagation = MS_PRIVATE };

        if (move_mount(target, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return -errno;
        if (mount_setattr(target, "", AT_EMPTY_PATH, &private, sizeof private) < 0)
                return -errno;
        if (fchdir(target) < 0 || sys_pivot_root(".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
                return -errno;

        return 0;
}

static int limit(int resource, uint64_t value) {
        struct rlimit limits = { .rlim_cur = (rlim_t) value, .rlim_max = (rlim_t) value };

        return setrlimit((__rlimit_resource_t) resource, &limits) < 0 ? -errno : 0;
}

static int limit_all(void) {
        static const struct {
                int resource;
                uint64_t value;
        } limits[] = {
                { RLIMIT_CORE, 0 },
                { RLIMIT_CPU, UNPACK_CPU_SECONDS_MAX },
                { RLIMIT_DATA, UNPACK_MEMORY_MAX },
                { RLIMIT_NOFILE, UNPACK_DEPTH_MAX + 64 },
        };

        for (size_t i = 0; i < ELEMENTSOF(limits); i++) {
                int r = limit(limits[i].resource, limits[i].value);

                if (r < 0)
                        return r;
        }

        return 0;
}

/* What is needed to make files of any owner. */
static int drop_capabilities(void) {
        static const uint32_t kept = CAPABILITY(CAP_CHOWN) | CAPABILITY(CAP_DAC_OVERRIDE) | CAPABILITY(CAP_FOWNER) |
                CAPABILITY(CAP_FSETID) | CAPABILITY(CAP_SETFCAP);
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { .effective = kept, .permitted = kept } };

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -errno;

        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/* What is not listed fails; so whatever libarchive would run or reach for, it does without. */
static int filter_calls(void) {
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
        int r = filter ? 0 : -ENOMEM;

        for (size_t i = 0; i < ELEMENTSOF(calls) && r == 0; i++)
                r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
        if (r == 0)
                r = seccomp_load(filter);
        seccomp_release(filter);
        return r;
}

int rootless_enter(int target) {
        struct stat st;
        int r;

        if (stat("/proc/self/ns/user", &st) < 0)
                return -errno;
        if (st.st_ino == HOST_USER_NAMESPACE)
                return -EPERM;

        r = change_root(target);
        if (r < 0)
                return r;
        r = limit_all();
        if (r < 0)
                return r;
        r = drop_capabilities();
        return r < 0 ? r : filter_calls();
}
