/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * OpenRoot: the root directory of a running container. Its init is found by systemd, held by a pidfd, and
 * looked at before anything is done with it; a child enters its mount namespace and opens what is the root
 * there. As long as a start has not got that far this is the host's, which nobody gets. The kernel
 * takes no set-uid bit from a mount of another mount namespace, so that whoever gets the descriptor cannot
 * use the guest's.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "helper/ops/ops.h"
#include "helper/serve/gate.h"

#define UNIT_PATH "/org/freedesktop/systemd1/unit"

/* In the child. From setns(2) on it is in the container's mount namespace, with no descriptor of the host's
 * but its way back; nothing is looked up there but "/". */
static int open_root(ChildReport *report, void *userdata) {
        _cleanup_close_ int root = -EBADF;
        int pidfd = *(int *) userdata;
        struct stat host, st;

        if (stat("/", &host) < 0)
                return -errno;
        if (setns(pidfd, CLONE_NEWNS) < 0)
                return child_give_error(
                                report, errno == ESRCH ? HELPER_ERROR_NOT_RUNNING : HELPER_ERROR_FAILED,
                                "Cannot enter the container's mount namespace: %s", strerror(errno));
        root = open("/", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (root < 0 || fstat(root, &st) < 0)
                return child_give_error(
                                report, HELPER_ERROR_FAILED, "Cannot open the container's root: %s",
                                strerror(errno));
        if (st.st_dev == host.st_dev && st.st_ino == host.st_ino)
                return child_give_error(report, HELPER_ERROR_NOT_RUNNING, "The container has no root of its own yet");

        return child_give_fd(report, "", root);
}

static int on_root(Request *request, ChildResult *result) {
        struct stat st;

        if (result->error)
                return request_fail(request, result->error, "%s", result->text);
        if (result->fd < 0 || fstat(result->fd, &st) < 0 || !S_ISDIR(st.st_mode))
                return -EBADMSG;

        return request_reply(request, "h", result->fd);
}

static void context_close(void *context) {
        (void) fd_close(*(int *) context);
        free(context);
}

static int on_main_pid(Request *request, sd_bus_message *answer) {
        int *pidfd, r;
        uint32_t pid;

        if (sd_bus_message_is_method_error(answer, NULL))
                return request_fail_systemd(request, sd_bus_message_get_error(answer));
        r = sd_bus_message_read(answer, "v", "u", &pid);
        if (r < 0)
                return r;
        if (pid <= 1)
                return request_fail(
                                request, HELPER_ERROR_NOT_RUNNING, "Container %s is not running",
                                request->name);

        pidfd = malloc(sizeof *pidfd);
        if (!pidfd)
                return -ENOMEM;
        *pidfd = pidfd_open((pid_t) pid, 0);
        request->context = pidfd;
        request->context_free = context_close;
        if (*pidfd < 0 && errno != ESRCH)
                return -errno;
        if (*pidfd < 0 || gate_process_is((pid_t) pid, *pidfd, request->unit, "/payload") < 0)
                return request_fail(
                                request, HELPER_ERROR_NOT_RUNNING,
                                "Container %s has no init yet, or not any more", request->name);

        return request_child(request, open_root, pidfd, pidfd, 1, on_root);
}

int op_open_root(Request *request) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        r = sd_bus_path_encode(UNIT_PATH, request->unit, &path);
        if (r < 0)
                return r;
        r = request_systemd_get(request, path, &call);
        if (r < 0)
                return r;
        r = sd_bus_message_append(call, "ss", "org.freedesktop.systemd1.Service", "MainPID");
        if (r < 0)
                return r;

        return request_systemd(request, TAKE_PTR(call), on_main_pid);
}
