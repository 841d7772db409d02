/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/stop/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/parse.h"
#include "helper/launch/guest.h"
#include "helper/stop/power.h"
#include "helper/unit/cgroup.h"

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

        return (caught >> (signal_number - 1)) & 1;
}

static int stop_process(pid_t pid) {
        _cleanup_close_ int pidfd = -EBADF;
        int signal_number = stop_signal_noted(), r;

        pidfd = pidfd_open(pid, 0);
        if (pidfd < 0)
                return errno == ESRCH ? 0 : -errno;

        r = stop_is_handled(pid, signal_number);
        if (r == -ENOENT || r == -ESRCH)
                return 0;
        if (r < 0)
                return r;
        if (r == 0)
                return power_off(pidfd);

        if (pidfd_send_signal(pidfd, signal_number, NULL, 0) < 0 && errno != ESRCH)
                return -errno;

        return 0;
}

int stop(const char *name) {
        const char *main_pid = getenv("MAINPID");
        uint32_t pid;
        int r;

        if (!main_pid)
                return EXIT_SUCCESS; /* it has ended already */

        r = parse_u32(main_pid, &pid);
        if (r == 0)
                r = stop_process((pid_t) pid);
        if (r < 0) {
                (void) fprintf(stderr, "<4>Cannot ask container %s to stop, leaving it to systemd: %s\n", name,
                               strerror(-r));
                return EXIT_FAILURE;
        }

        return EXIT_SUCCESS;
}
