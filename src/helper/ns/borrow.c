/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/ns/borrow.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "helper/root/mount.h"

#define API_ATTRIBUTES (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

typedef struct Errand {
        Failure *failure;
        const LaunchPlan *plan;
        int pidfd;
        BorrowedMounts mounts;
        int result;
} Errand;

void borrowed_mounts_done(BorrowedMounts *mounts) {
        mounts->proc = fd_close(mounts->proc);
        mounts->sys = fd_close(mounts->sys);
        mounts->mqueue = fd_close(mounts->mqueue);
}

static int loopback_up(void) {
        _cleanup_close_ int fd = -EBADF;
        struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

        fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                /* A kernel without IPv4 has no loopback address to speak of either. */
                return errno == EAFNOSUPPORT ? 0 : -errno;

        return ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

/* In a container the kernel allows it only where Nesting=yes has made another one visible (root/visible.h). */
static int errand_mount(Errand *errand, const char *type, uint64_t attributes, int *ret_fd) {
        int r;

        r = mount_new(errand->failure, type, NULL, attributes, ret_fd);
        if (r == -EPERM && errand->plan->nested)
                return failure_cause(
                                errand->failure, r,
                                "the container that this is in may not have containers; it needs [Security] "
                                "Nesting=yes");
        return r;
}

/* In the child, which is in the payload's pid namespace from its birth. */
static int errand_do(Errand *errand) {
        bool network = launch_plan_private(errand->plan, NAMESPACE_NET);
        bool ipc = launch_plan_private(errand->plan, NAMESPACE_IPC);
        int namespaces = (network ? CLONE_NEWNET : 0) | (ipc ? CLONE_NEWIPC : 0);
        int r;

        r = step_begin(errand->failure, STEP_API, "/proc");
        if (r < 0)
                return r;
        if (namespaces && setns(errand->pidfd, namespaces) < 0)
                return -errno;
        r = errand_mount(errand, "proc", API_ATTRIBUTES, &errand->mounts.proc);
        if (r < 0)
                return r;

        r = step_begin(errand->failure, STEP_API, "/dev/mqueue");
        if (r < 0)
                return r;
        r = mount_new(errand->failure, "mqueue", NULL, API_ATTRIBUTES, &errand->mounts.mqueue);
        if (r < 0 && r != -ENODEV)
                return r;

        if (!network)
                return 0;

        r = step_begin(errand->failure, STEP_API, "/sys");
        if (r < 0)
                return r;
        r = errand_mount(errand, "sysfs", API_ATTRIBUTES | MOUNT_ATTR_RDONLY, &errand->mounts.sys);
        if (r < 0)
                return r;

        r = step_begin(errand->failure, STEP_API, "the loopback device");
        if (r < 0)
                return r;
        return loopback_up();
}

static int errand_main(void *argument) {
        Errand *errand = argument;

        errand->result = errand_do(errand);
        return 0;
}

int borrow_mounts(Failure *failure, const LaunchPlan *plan, int pidfd, BorrowedMounts *ret) {
        static _Alignas(16) char stack[64 * 1024];
        Errand errand = {
                .failure = failure,
                .plan = plan,
                .pidfd = pidfd,
                .mounts = BORROWED_MOUNTS_NULL,
                .result = -ECHILD, /* unless the child says otherwise it was killed */
        };
        int status;
        pid_t pid;

        if (setns(pidfd, CLONE_NEWPID) < 0)
                return -errno;

        /* The child shares memory and descriptors and we wait for it: nothing is copied, and the mounts that it makes
         * are ours at once. */
        pid = clone(errand_main, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, &errand);
        if (pid < 0)
                return -errno;
        if (waitpid(pid, &status, 0) < 0)
                return -errno;

        *ret = errand.mounts;
        if (errand.result == -ECHILD)
                return failure_cause(failure, -ECHILD, "the process that does it was killed");

        return errand.result;
}
