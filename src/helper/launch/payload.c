/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/launch/payload.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/capability.h"
#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/syscall.h"
#include "basic/weaken.h"
#include "helper/launch/payload-exec.h"
#include "helper/lsm/lsm.h"
#include "helper/process/capabilities.h"
#include "helper/process/keyring.h"
#include "helper/process/personality.h"
#include "helper/process/user.h"
#include "helper/root/device.h"
#include "helper/root/mount.h"

/* Until the exec, this process is a PID 1 that the kernel protects from signals it does not handle; a stop must end it
 * all the same. */
_noreturn_ static void payload_on_signal(int signal_number) {
        _exit(PAYLOAD_EXIT_FAILED);
}

static int payload_receive(int socket, PayloadGo *ret_go, int ret_fds[static _PAYLOAD_FD_N]) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(int) * _PAYLOAD_FD_N)];
        } control;
        struct iovec iov = { .iov_base = ret_go, .iov_len = sizeof *ret_go };
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof control,
        };
        struct cmsghdr *c;
        ssize_t n;

        do
                n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        if (n == 0)
                return -EPIPE; /* the launcher is gone: nothing that this process could do */

        c = CMSG_FIRSTHDR(&message);
        if (n != (ssize_t) sizeof *ret_go || !c || c->cmsg_type != SCM_RIGHTS ||
            c->cmsg_len != CMSG_LEN(sizeof(int) * _PAYLOAD_FD_N))
                return -EBADMSG;

        memcpy(ret_fds, CMSG_DATA(c), sizeof(int) * _PAYLOAD_FD_N);
        return 0;
}

int payload_release(int socket, const PayloadGo *go, const int fds[static _PAYLOAD_FD_N]) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(int) * _PAYLOAD_FD_N)];
        } control = {};
        struct iovec iov = { .iov_base = (void *) go, .iov_len = sizeof *go };
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof control,
        };
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);

        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * _PAYLOAD_FD_N);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * _PAYLOAD_FD_N);

        return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int payload_wait_mounts(int socket) {
        char byte[2];
        ssize_t n;

        /* A failure is longer, and stays where it is. */
        do
                n = recv(socket, byte, sizeof byte, MSG_PEEK | MSG_TRUNC);
        while (n < 0 && errno == EINTR);
        if (n != 1)
                return -ECHILD;

        return recv(socket, byte, sizeof byte, 0) < 0 ? -errno : 0;
}

int payload_go_on(int socket) {
        return send(socket, "", 1, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* The payload's side of it. */
static int payload_pause(int socket) {
        char byte;
        ssize_t n;

        if (send(socket, "", 1, MSG_NOSIGNAL) < 0)
                return -errno;
        do
                n = recv(socket, &byte, sizeof byte, 0);
        while (n < 0 && errno == EINTR);

        return n < 0 ? -errno : n == 0 ? -EPIPE : 0;
}

int payload_read_failure(int socket, Failure *ret) {
        ssize_t n;

        do
                n = recv(socket, ret, sizeof *ret, MSG_DONTWAIT); /* sent before it ended, if at all */
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        if (n != (ssize_t) sizeof *ret)
                return -EPIPE;

        ret->object[sizeof ret->object - 1] = '\0';
        ret->cause[sizeof ret->cause - 1] = '\0';
        return 0;
}

/* The heart of it: a mount namespace that the container's user namespace owns. All mounts come into it as copies whose
 * flags are locked. A locked mount cannot become the root; a clone of it can, with everything below still locked. */
static int payload_change_root(Failure *failure, const Payload *payload, int root) {
        struct mount_attr shared = { .propagation = MS_SHARED };
        const LaunchPlan *plan = payload->plan;
        _cleanup_close_ int tree = -EBADF;
        int r;

        r = step_begin(failure, STEP_PIVOT, "%s", "");
        if (r < 0)
                return r;

        /* The working directory follows into the copy; the descriptor does not. */
        if (fchdir(root) < 0)
                return -errno;
        if (unshare(CLONE_NEWNS | (launch_plan_private(plan, NAMESPACE_CGROUP) ? CLONE_NEWCGROUP : 0)) < 0)
                return -errno;

        if (plan->definition->hooks[HOOK_MOUNT].n > 0) {
                r = payload_pause(payload->socket);
                if (r < 0)
                        return r;
        }

        tree = open_tree(AT_FDCWD, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        if (tree < 0)
                return -errno;
        r = mount_attach(tree, AT_FDCWD);
        if (r < 0)
                return r;
        if (fchdir(tree) < 0)
                return -errno;

        /* The old root ends up on top of the new one and is taken away with everything in it. */
        if (sys_pivot_root(".", ".") < 0)
                return -errno;
        if (umount2(".", MNT_DETACH) < 0)
                return -errno;
        if (chdir("/") < 0)
                return -errno;

        /* As on a host; systemd inside relies on it for its own mount namespaces. */
        if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &shared, sizeof shared) < 0)
                return -errno;

        return 0;
}

static int payload_set_hostname(Failure *failure, const LaunchPlan *plan) {
        const char *name = plan->definition->hostname ? plan->definition->hostname : plan->definition->name;
        int r;

        if (!launch_plan_private(plan, NAMESPACE_UTS))
                return 0;

        r = step_begin(failure, STEP_HOSTNAME, "%s", name);
        if (r < 0)
                return r;

        return sethostname(name, strlen(name)) < 0 ? -errno : 0;
}

/* As sysctl.d(5) has it: if the first of them is a dot, dots separate and a slash stands for a dot in a name. */
static void sysctl_to_path(char *name) {
        if (name[strcspn(name, "./")] != '.')
                return;

        for (char *p = name; *p; p++)
                *p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
}

static int payload_set_sysctls(Failure *failure, const LaunchPlan *plan, int sysctl) {
        const Definition *definition = plan->definition;

        for (size_t i = 0; i < definition->n_sysctls; i++) {
                _cleanup_free_ char *path = NULL;
                int r;

                r = step_begin(failure, STEP_SYSCTL, "%s", definition->sysctls[i].key);
                if (r < 0)
                        return r;

                path = strdup(definition->sysctls[i].key);
                if (!path)
                        return -ENOMEM;
                sysctl_to_path(path);

                r = file_write(sysctl, path, definition->sysctls[i].value);
                if (r == -ENOENT)
                        return failure_cause(failure, r, "this kernel has no such sysctl");
                if (r == -EACCES || r == -EPERM)
                        return failure_cause(failure, r, "it does not belong to the container's namespaces");
                if (r < 0)
                        return r;
        }

        return 0;
}

/* The launcher's descriptors are still open, and a [Mount] can lie over what berth has put there. */
static int payload_open_terminal(Failure *failure, const char *path, int flags) {
        uint64_t resolve = weakened(WEAKEN_PROC_LINKS) ? 0 : RESOLVE_NO_SYMLINKS;
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        fd = sys_openat2(AT_FDCWD, path, (uint64_t) (unsigned) flags | O_NOCTTY | O_CLOEXEC, 0, resolve);
        if (fd < 0 && errno != ELOOP)
                return -errno;
        if (fd >= 0 && fstat(fd, &st) < 0)
                return -errno;
        if ((fd < 0 || !S_ISCHR(st.st_mode)) && !weakened(WEAKEN_PROC_LINKS))
                return failure_cause(failure, -ENODEV, "it is no character device: a [Mount] lies over it");

        return TAKE_FD(fd);
}

/* The standard streams: nothing of the host's but the journal's stream that systemd made for this unit. */
static int payload_set_stdio(Failure *failure, const LaunchPlan *plan) {
        bool console = plan->definition->console;
        const char *path = console ? "/dev/console" : "/dev/null";
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = step_begin(failure, STEP_EXEC, "%s", path);
        if (r < 0)
                return r;

        fd = payload_open_terminal(failure, path, console ? O_RDWR : O_RDONLY);
        if (fd < 0)
                return fd;
        for (int target = 0; target <= (console ? 2 : 0); target++)
                if (dup2(fd, target) < 0)
                        return -errno;
        if (fd <= 2)
                TAKE_FD(fd);

        return 0;
}

/* Where there is no user namespace the container has no more than the host gave to berth. */
static int payload_bound(Failure *failure, const Definition *definition) {
        unsigned missing = 0;
        int r;

        r = step_begin(failure, STEP_IDENTITY, "with its capabilities");
        if (r < 0)
                return r;

        r = capabilities_bound(definition_capabilities(definition), definition->capabilities.added, &missing);
        if (r == CAPABILITIES_E_MISSING)
                return failure_cause(failure, -EPERM,
                                     "%s is not there to be given away: berth itself runs without it",
                                     capability_name(missing) ?: "a capability");
        return r;
}

/* The user that the guest's program runs as. Whoever is not root inside keeps only the ambient capabilities over the
 * exec. */
static int payload_become(Failure *failure, const User *user, const Definition *definition) {
        int r;

        r = step_begin(failure, STEP_IDENTITY, "%s", definition->user ? definition->user : "");
        if (r < 0)
                return r;

        /* Where setgroups(2) is denied, there are none to begin with: the launcher dropped its own. */
        if (setgroups(user->n_groups, user->groups) < 0 && (errno != EPERM || user->n_groups > 0))
                return failure_cause(failure, -errno, "cannot set supplementary groups: %s", strerror(errno));
        if (setresgid(user->gid, user->gid, user->gid) < 0)
                return failure_cause(failure, -errno, "group %u is not one of the container's: %s", user->gid,
                                     strerror(errno));
        if (definition->ambient || definition_seccomp(definition)) {
                r = capabilities_keep();
                if (r < 0)
                        return r;
        }
        if (setresuid(user->uid, user->uid, user->uid) < 0)
                return failure_cause(failure, -errno, "user %u is not one of the container's: %s", user->uid,
                                     strerror(errno));
        if (definition->ambient) {
                r = capabilities_set_ambient(definition->ambient);
                if (r < 0)
                        return failure_cause(failure, r, "cannot set ambient capabilities: %s", strerror(-r));
        }

        return 0;
}

/* Keys are counted by the user's id on the host, for all containers that have it. */
static int payload_join_keyring(Failure *failure, const LaunchPlan *plan, uint32_t uid) {
        uint32_t host = uid;
        KeyQuota quota;
        int r;

        if (plan->definition->keyring == KEYRING_INHERIT)
                return 0;

        r = step_begin(failure, STEP_KEYRING, "%s", "");
        if (r < 0)
                return r;
        r = keyring_join();
        if (r != -EDQUOT || keyring_quota(uid, &quota) < 0)
                return r;

        if (plan->definition->user_namespace)
                (void) idmap_to_host(&plan->ids, ID_UID, uid, &host);
        return failure_cause(failure, r,
                             "user %" PRIu32 " (%" PRIu32 " on the host) has %u of %u keys and %u of %u bytes in them; see "
                             "maxkeys and maxbytes in /proc/sys/kernel/keys",
                             uid, host, quota.keys, quota.keys_max, quota.bytes, quota.bytes_max);
}

static int payload_find_user(Failure *failure, const LaunchPlan *plan, User *ret) {
        const Definition *definition = plan->definition;
        const char *missing = NULL;
        uint32_t uid = 0, gid = 0;
        int r;

        r = step_begin(failure, STEP_GUEST, "user %s", definition->user ? definition->user : "root");
        if (r < 0)
                return r;

        /* Without an id 0 inside, the only one there is. */
        if (definition->user_namespace && !plan->has_root) {
                (void) idmap_first(&plan->ids, ID_UID, &uid);
                (void) idmap_first(&plan->ids, ID_GID, &gid);
        }

        r = user_resolve(definition->user, definition->group, definition->groups, uid, gid, ret, &missing);
        if (r == -ESRCH)
                return failure_cause(failure, r, "the root's /etc/passwd has no such user");
        if (r == -ENXIO)
                return failure_cause(failure, r, "the root's /etc/group has no group %s", missing);
        if (r == -E2BIG)
                return failure_cause(failure, r, "it is in more than %d groups", USER_GROUPS_MAX);
        if (r == -EUCLEAN)
                return failure_cause(failure, r, "the root's /etc/passwd or /etc/group is not a regular file");

        return r;
}

/* Descriptors of the host are still open: no link of /proc may lead to one of them (CVE-2024-21626). */
static int payload_change_directory(Failure *failure, const char *path) {
        uint64_t resolve = weakened(WEAKEN_PROC_LINKS) ? 0 : RESOLVE_NO_MAGICLINKS;
        _cleanup_close_ int fd = -EBADF;

        fd = sys_openat2(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, resolve);
        if (fd < 0 && errno == ELOOP)
                return failure_cause(failure, -ELOOP,
                                     "it leads in a circle, or through a link of /proc to what a process has open");
        if (fd < 0)
                return -errno;

        return fchdir(fd) < 0 ? -errno : 0;
}

static int payload_shed(Failure *failure, const Payload *payload, const User *user) {
        const LaunchPlan *plan = payload->plan;
        const char *directory = plan->definition->working_directory;
        int r;

        r = personality_set(plan->definition->architecture);
        if (r < 0)
                return r;
        r = payload_set_stdio(failure, plan);
        if (r < 0)
                return r;

        r = payload_bound(failure, plan->definition);
        if (r < 0)
                return r;
        r = payload_become(failure, user, plan->definition);
        if (r < 0)
                return r;
        r = payload_join_keyring(failure, plan, user->uid);
        if (r < 0)
                return r;

        if (directory) {
                r = step_begin(failure, STEP_DIRECTORY, "%s", directory);
                if (r < 0)
                        return r;
                r = payload_change_directory(failure, directory);
                if (r < 0)
                        return r;
        }

        (void) umask(0022);
        return 0;
}

static int payload_prepare(Failure *failure, const Payload *payload) {
        const LaunchPlan *plan = payload->plan;
        int fds[_PAYLOAD_FD_N] = { -EBADF, -EBADF }, r;
        _cleanup_close_ int proc = -EBADF;
        PayloadGo go = {};
        User user;

        r = payload_receive(payload->socket, &go, fds);
        if (r < 0)
                return r;

        if (plan->definition->user_namespace && plan->has_root) {
                r = step_begin(failure, STEP_IDENTITY, "root");
                if (r < 0)
                        return r;
                if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
                        return -errno;
        }

        /* The host's: what the container has there may be anything. */
        proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (proc < 0)
                return -errno;
        r = payload_change_root(failure, payload, fds[PAYLOAD_FD_ROOT]);
        if (r < 0)
                return r;
        r = payload_set_hostname(failure, plan);
        if (r < 0)
                return r;
        r = payload_set_sysctls(failure, plan, fds[PAYLOAD_FD_SYSCTL]);
        if (r < 0)
                return r;
        r = devices_set_owners(failure, plan);
        if (r < 0)
                return r;

        (void) setsid();

        r = payload_find_user(failure, plan, &user);
        if (r < 0)
                return r;
        r = payload_shed(failure, payload, &user);
        if (r < 0)
                return r;
        r = lsm_apply(failure, payload->lsm, proc);
        if (r < 0)
                return r;

        return payload_exec(failure, payload, &go, &user);
}

void payload_run(const Payload *payload) {
        Failure failure = { .step = STEP_CLONE };
        int r;

        (void) signal(SIGTERM, payload_on_signal);
        (void) signal(SIGRTMIN + 3, payload_on_signal);

        r = payload_prepare(&failure, payload);
        failure.error = -r;
        (void) send(payload->socket, &failure, sizeof failure, MSG_NOSIGNAL);
        _exit(PAYLOAD_EXIT_FAILED);
}
