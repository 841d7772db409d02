/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/root/run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "helper/root/mount.h"
#include "helper/root/tree.h"
#include "helper/root/visible.h"

#define OS_RELEASE_MAX (64 * 1024)
#define CREDENTIAL_MAX (1024 * 1024) /* systemd's own limit for one credential */

void run_host_done(RunHost *run) {
        run->host = fd_close(run->host);
        run->notify = fd_close(run->notify);
}

/* Nodes of every type that nobody can open; systemd inside mounts them over what a unit must not see. */
static int run_make_inaccessible(const LaunchPlan *plan, int host) {
        static const struct {
                const char *name;
                mode_t mode;
        } nodes[] = {
                { "inaccessible/reg", S_IFREG },
                { "inaccessible/fifo", S_IFIFO },
                { "inaccessible/sock", S_IFSOCK },
                { "inaccessible/chr", S_IFCHR },
                { "inaccessible/blk", S_IFBLK },
        };

        if (mkdirat(host, "inaccessible", 0755) < 0 || mkdirat(host, "inaccessible/dir", 0) < 0)
                return -errno;

        for (size_t i = 0; i < ELEMENTSOF(nodes); i++)
                /* In a user namespace nobody makes block devices; systemd does with another of the nodes then. */
                if (mknodat(host, nodes[i].name, nodes[i].mode, makedev(0, 0)) < 0 && !(errno == EPERM && plan->nested))
                        return -errno;

        return 0;
}

/* The unit's credentials (LoadCredential= and its kin, which systemd gave the launcher) become the guest's. */
static int run_copy_credentials(Failure *failure, int host, bool *ret_any) {
        const char *path = getenv("CREDENTIALS_DIRECTORY");
        _cleanup_closedir_ DIR *directory = NULL;
        _cleanup_close_ int target = -EBADF;
        int r;

        *ret_any = false;
        if (mkdirat(host, "credentials", 0700) < 0)
                return -errno;
        if (!path)
                return 0;

        r = step_begin(failure, STEP_RUN, "credentials");
        if (r < 0)
                return r;
        directory = opendir(path);
        if (!directory)
                return -errno;
        target = openat(host, "credentials", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (target < 0)
                return -errno;

        for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
                _cleanup_free_ char *content = NULL;
                _cleanup_close_ int fd = -EBADF;
                size_t size;

                if (entry->d_name[0] == '.')
                        continue;
                r = file_read(dirfd(directory), entry->d_name, CREDENTIAL_MAX, &content, &size);
                if (r < 0)
                        return r;
                fd = openat(target, entry->d_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
                if (fd < 0)
                        return -errno;
                r = fd_write_all(fd, content, size);
                if (r < 0)
                        return r;
                *ret_any = true;
        }

        return 0;
}

/* Binds the socket that the guest's notifications come to. The path goes through the directory's descriptor, since a
 * socket address is short. */
static int run_bind_notify(int host, int *ret_fd) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = -EBADF;
        int one = 1;

        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof one) < 0)
                return -errno;

        (void) snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/notify", host);
        if (bind(fd, (struct sockaddr *) &address, sizeof address) < 0)
                return -errno;
        if (fchmodat(host, "notify", 0666, 0) < 0)
                return -errno;

        *ret_fd = TAKE_FD(fd);
        return 0;
}

static int run_fill_host(Failure *failure, const LaunchPlan *plan, RunHost *run) {
        _cleanup_free_ char *os_release = NULL;
        char text[64];
        int r;

        r = file_create(run->host, "container-manager", 0444, "berth\n");
        if (r < 0)
                return r;

        (void) snprintf(text, sizeof text, "%.8s-%.4s-%.4s-%.4s-%.12s\n", plan->machine_id, plan->machine_id + 8,
                        plan->machine_id + 12, plan->machine_id + 16, plan->machine_id + 20);
        r = file_create(run->host, "container-uuid", 0444, text);
        if (r < 0)
                return r;

        r = file_read(AT_FDCWD, "/etc/os-release", OS_RELEASE_MAX, &os_release, NULL);
        if (r == -ENOENT)
                r = file_read(AT_FDCWD, "/usr/lib/os-release", OS_RELEASE_MAX, &os_release, NULL);
        if (r == 0)
                r = file_create(run->host, "os-release", 0444, os_release);
        if (r < 0 && r != -ENOENT)
                return r;

        r = run_make_inaccessible(plan, run->host);
        if (r < 0)
                return r;
        if (visible_wanted(plan) &&
            (mkdirat(run->host, VISIBLE_DIRECTORY, 0) < 0 ||
             mkdirat(run->host, VISIBLE_DIRECTORY "/proc", 0) < 0 ||
             mkdirat(run->host, VISIBLE_DIRECTORY "/sys", 0) < 0))
                return -errno;

        if (plan->definition->ready == READY_GUEST) {
                r = run_bind_notify(run->host, &run->notify);
                if (r < 0)
                        return r;
        }

        return run_copy_credentials(failure, run->host, &run->credentials);
}

/* A separate file system, so that it can be read-only as a whole. */
static int run_mount_host(Failure *failure, const LaunchPlan *plan, int target, RunHost *run) {
        static const FsOption options[] = { { "mode", "0755" }, { "size", "16m" }, {} };
        int r;

        r = step_begin(failure, STEP_RUN, "/run/host");
        if (r < 0)
                return r;
        r = mount_new(failure, "tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
                      &run->host);
        if (r < 0)
                return r;
        r = run_fill_host(failure, plan, run);
        if (r < 0)
                return r;
        r = mount_restrict(run->host, MOUNT_ATTR_RDONLY, false);
        if (r < 0)
                return r;

        return mount_attach_at(run->host, target, "host");
}

int run_mount(Failure *failure, const LaunchPlan *plan, int root_fd, RunHost *ret) {
        static const FsOption options[] = { { "mode", "0755" }, { "nr_inodes", "800k" }, {} };
        _cleanup_(run_host_done) RunHost run = RUN_HOST_NULL;
        _cleanup_close_ int target = -EBADF, fd = -EBADF;
        int r;

        r = step_begin(failure, STEP_RUN, "/run");
        if (r < 0)
                return r;
        r = target_open_directory(failure, root_fd, "run", root_may_create(plan), &target);
        if (r == -ENOENT && plan->boot == BOOT_DIRECT && plan->definition->ready == READY_EXEC) {
                *ret = RUN_HOST_NULL;
                return 0;
        }
        if (r < 0)
                return r;

        /* A lock on flags would be in the way of systemd-nspawn, which remounts parts of it without them. In a user
         * namespace nobody makes device nodes, and set-user-ID programs lead to ids of the container only. */
        r = mount_new(failure, "tmpfs", options, visible_wanted(plan) ? 0 : MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, &fd);
        if (r < 0)
                return r;
        if (mkdirat(fd, "host", 0755) < 0)
                return -errno;
        r = mount_attach(fd, target);
        if (r < 0)
                return r;

        r = run_mount_host(failure, plan, fd, &run);
        if (r < 0)
                return r;

        *ret = run;
        run = RUN_HOST_NULL;
        return 0;
}
