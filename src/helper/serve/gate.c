/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/serve/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/string.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

#define SLICE ".slice"
#define CGROUP_FILE_MAX 16384

bool gate_cgroup_is(const char *path, const char *unit, const char *below) {
        const char *rest;

        for (;;) {
                size_t n;

                if (*path != '/')
                        return false;
                path++;
                n = strcspn(path, "/");
                if (n <= strlen(SLICE) || strncmp(path + n - strlen(SLICE), SLICE, strlen(SLICE)) != 0)
                        break;
                path += n;
        }

        /* A unit's name is a whole component: what is left is at its end. */
        rest = string_after_prefix(path, unit);
        if (!rest || (*rest && *rest != '/'))
                return false;
        if (!*below)
                return !*rest;
        rest = string_after_prefix(rest, below);

        return rest && (!*rest || *rest == '/');
}

int gate_process_is(pid_t pid, int pidfd, const char *unit, const char *below) {
        _cleanup_free_ char *text = NULL;
        char path[32], *line;
        int r;

        (void) snprintf(path, sizeof path, "/proc/%d/cgroup", (int) pid);
        r = file_read(AT_FDCWD, path, CGROUP_FILE_MAX, &text, NULL);
        if (r < 0)
                return r;
        line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
        if (!line)
                return -ESRCH;
        line += line[0] == '\n' ? 4 : 3;
        *strchrnul(line, '\n') = '\0';

        /* It lives: so what was read under its number was its own. */
        if (pidfd_send_signal(pidfd, 0, NULL, 0) < 0 && errno != EPERM)
                return -errno;

        return gate_cgroup_is(line, unit, below) ? 0 : -ESRCH;
}

/* On kernels before 6.5 the pidfd is made from the number that the kernel noted when the peer connected. By
 * then that process may have gone and its number be another's; but that other one passes only if it is the
 * manager itself. */
static int open_peer(int socket, pid_t pid) {
        socklen_t size = sizeof(int);
        int fd;

        if (getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &fd, &size) >= 0)
                return fd;
        fd = pidfd_open(pid, 0);

        return fd < 0 ? -errno : fd;
}

int gate_peer(int socket, uid_t manager, pid_t *ret_pid, char *why, size_t size) {
        _cleanup_close_ int pidfd = -EBADF;
        struct ucred peer;
        socklen_t length = sizeof peer;

        *ret_pid = 0;
        if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) {
                (void) snprintf(why, size, "nobody knows who it is: %s", strerror(errno));
                return -EPERM;
        }
        *ret_pid = peer.pid;
        if (peer.uid != manager) {
                (void) snprintf(why, size, "it is of uid %u, not of the user " MANAGER_USER, peer.uid);
                return -EPERM;
        }

        pidfd = open_peer(socket, peer.pid);
        if (pidfd < 0 || gate_process_is(peer.pid, pidfd, MANAGER_UNIT, "") < 0) {
                (void) snprintf(why, size, "it is not in " MANAGER_UNIT ", or has ended");
                return -EPERM;
        }

        return 0;
}

static const char *const rules[_DESCRIPTOR_KIND_N] = {
        [DESCRIPTOR_PROGRESS] = "the writing end of a pipe",
        [DESCRIPTOR_ARCHIVE] = "a regular file or pipe, opened for reading",
        [DESCRIPTOR_DIRECTORY] = "a directory, opened for reading (not with O_PATH)",
        [DESCRIPTOR_IMAGE] = "a regular file, opened for reading only",
        [DESCRIPTOR_SOURCE] = "a directory or regular file",
};

const char *gate_descriptor_rule(DescriptorKind kind) {
        return rules[kind];
}

int gate_descriptor(int fd, DescriptorKind kind) {
        struct statx st;
        bool path, ok = false;
        int flags, access;

        /* A file system that is a user's program, or on another host, may never answer; what kind of file it is
         * does not have to be asked. */
        flags = fcntl(fd, F_GETFL);
        if (flags < 0 || statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &st) < 0)
                return -errno;
        path = flags & O_PATH;
        access = flags & O_ACCMODE;

        switch (kind) {
        case DESCRIPTOR_PROGRESS:
                ok = S_ISFIFO(st.stx_mode) && !path && access == O_WRONLY;
                break;
        case DESCRIPTOR_ARCHIVE:
                ok = (S_ISREG(st.stx_mode) || S_ISFIFO(st.stx_mode)) && !path && access != O_WRONLY;
                break;
        case DESCRIPTOR_DIRECTORY:
                ok = S_ISDIR(st.stx_mode) && !path;
                break;
        case DESCRIPTOR_IMAGE:
                ok = S_ISREG(st.stx_mode) && !path && access == O_RDONLY;
                break;
        case DESCRIPTOR_SOURCE:
                ok = S_ISREG(st.stx_mode) || S_ISDIR(st.stx_mode);
                break;
        case _DESCRIPTOR_KIND_N:
                break;
        }

        return ok ? 0 : -EINVAL;
}
