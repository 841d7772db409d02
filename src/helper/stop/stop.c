/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/stop/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/parse.h"
#include "helper/launch/guest.h"
#include "helper/stop/hooks.h"
#include "helper/stop/power.h"
#include "helper/unit/cgroup.h"
#include "helper/unit/journal.h"

#define STATUS_FILE_MAX (64 * 1024)

/* The signal that the launcher noted; systemd's if there is none, as for a container from before an upgrade. */
static int stop_signal_noted(void) {
        _cleanup_free_ char *launch = NULL;
        char text[16] = {};
        int r;

        r = cgroup_launch_path(&launch);
        if (r < 0)
                return SIGRTMIN + 3;
        if (getxattr(launch, GUEST_STOP_ATTRIBUTE, text, sizeof text - 1) < 0)
                return SIGRTMIN + 3;

        return parse_signal(text, &r) < 0 ? SIGRTMIN + 3 : r;
}

/* sigwait(3) and its kin take what they wait for out of the blocked signals meanwhile, so that only their argument in
 * the process's memory tells. 177 and 421 are the call in 32-bit programs. */
static bool stop_is_awaited(pid_t pid, int signal_number) {
        _cleanup_free_ char *text = NULL;
        unsigned long number, address;
        struct iovec local, remote;
        char path[32];
        uint64_t set;

        (void) snprintf(path, sizeof path, "/proc/%d/syscall", (int) pid);
        if (file_read(AT_FDCWD, path, STATUS_FILE_MAX, &text, NULL) < 0 ||
            sscanf(text, "%lu %lx", &number, &address) != 2)
                return false;
        if (number != SYS_rt_sigtimedwait && number != 177 && number != 421)
                return false;

        local = (struct iovec) { .iov_base = &set, .iov_len = sizeof set };
        remote = (struct iovec) { .iov_base = (void *) address, .iov_len = sizeof set };
        if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != (ssize_t) sizeof set)
                return false;

        return (set >> (signal_number - 1)) & 1;
}

/* Does the guest's process 1 handle a signal? The kernel drops it otherwise: a PID 1 has no default actions. */
static int stop_is_handled(pid_t pid, int signal_number) {
        _cleanup_free_ char *text = NULL;
        char path[32];
        const char *line;
        uint64_t caught;
        int r;

        (void) snprintf(path, sizeof path, "/proc/%d/status", (int) pid);
        r = file_read(AT_FDCWD, path, STATUS_FILE_MAX, &text, NULL);
        if (r < 0)
                return r;

        line = strstr(text, "\nSigCgt:");
        if (!line)
                return -EBADMSG;

        caught = strtoull(line + strlen("\nSigCgt:"), NULL, 16);

        /* A signal that is blocked waits for somebody who takes it with sigwait(3) or a signalfd(2). */
        line = strstr(text, "\nSigBlk:");
        if (line)
                caught |= strtoull(line + strlen("\nSigBlk:"), NULL, 16);

        return (caught >> (signal_number - 1)) & 1 || stop_is_awaited(pid, signal_number);
}

/* Until it has ended, or systemd's patience has: what is left when the unit's ExecStop= returns gets KillSignal= at
 * once, and a reaper inside would pass that on, too. */
static int stop_wait(int pidfd) {
        struct pollfd p = { .fd = pidfd, .events = POLLIN };

        while (poll(&p, 1, -1) < 0)
                if (errno != EINTR)
                        return -errno;

        return 0;
}

static bool has_ended(int pidfd) {
        struct pollfd p = { .fd = pidfd, .events = POLLIN };

        return poll(&p, 1, 0) != 0;
}

static int stop_process(pid_t pid, HookNamespaces *namespaces) {
        _cleanup_close_ int pidfd = -EBADF;
        int signal_number = stop_signal_noted(), r;

        pidfd = pidfd_open(pid, 0);
        if (pidfd < 0)
                return errno == ESRCH ? 0 : -errno;
        /* It may have ended since systemd named it, and its number be another's. */
        r = cgroup_check_process(pid);
        if (r < 0)
                return r == -ESRCH ? 0 : r;
        if (has_ended(pidfd))
                return 0;

        /* For hooks, who can have them when the container is gone. */
        if (namespaces) {
                r = hook_namespaces_open(pid, namespaces);
                if (r < 0)
                        return r == -ENOENT || r == -ESRCH ? 0 : r;
                /* They may be those of whoever got its number then. */
                if (has_ended(pidfd))
                        hook_namespaces_done(namespaces);
        }

        r = stop_is_handled(pid, signal_number);
        if (r == -ENOENT || r == -ESRCH)
                return 0;
        if (r < 0)
                return r;
        if (r == 0)
                r = power_off(pidfd);
        else if (pidfd_send_signal(pidfd, signal_number, NULL, 0) < 0)
                r = errno == ESRCH ? 0 : -errno;

        return r < 0 ? r : stop_wait(pidfd);
}

int stop(const char *name) {
        _cleanup_(hook_namespaces_done) HookNamespaces namespaces = HOOK_NAMESPACES_NULL;
        const char *main_pid = getenv("MAINPID");
        bool hooks;
        uint32_t pid;
        int r;

        if (!main_pid)
                return EXIT_SUCCESS; /* it has ended already */

        hooks = stop_hooks_wait();
        r = parse_u32(main_pid, &pid);
        if (r == 0)
                r = stop_process((pid_t) pid, hooks ? &namespaces : NULL);
        if (r < 0) {
                char line[256];

                (void) snprintf(line, sizeof line, "Cannot ask container %s to stop, leaving it to systemd: %s", name,
                                strerror(-r));
                journal_print(LOG_WARNING, cgroup_unit_kind(), name, line);
                return EXIT_FAILURE;
        }

        if (hooks)
                stop_hooks_run(name, &namespaces);
        return EXIT_SUCCESS;
}
