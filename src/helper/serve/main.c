/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berth-helper-serve: does what the manager may not, for the manager alone. Started by systemd when the
 * manager connects to its socket; leaves when it is not needed. A program of its own, so that a start
 * (`berth-helper launch`) need not load libsystemd.
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "helper/serve/gate.h"
#include "helper/serve/log.h"
#include "helper/serve/serve.h"

static int fail(const char *what, int error) {
        log_line(LOG_ERR, "Cannot serve: %s: %s", what, strerror(-error));
        return EXIT_FAILURE;
}

/* A peer that makes sd-bus keep more than this loses its connection. Children raise it again. A limit that the unit has
 * (LimitDATA=) is left as it is: somebody wanted it so. */
static int limit_memory(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_DATA, &limit) < 0)
                return -errno;
        if (limit.rlim_cur != RLIM_INFINITY)
                return 0;
        limit.rlim_cur = HELPER_DATA_MAX;

        return setrlimit(RLIMIT_DATA, &limit) < 0 ? -errno : 0;
}

int main(int argc, char **argv) {
        const struct passwd *user;
        int r;

        if (argc == 2 && strcmp(argv[1], "--version") == 0) {
                (void) printf("berth %s\n", BERTH_VERSION);
                return EXIT_SUCCESS;
        }
        if (argc != 1 || geteuid() != 0 || sd_listen_fds(true) != 1 ||
            sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_STREAM, 1, NULL, 0) <= 0) {
                (void) fprintf(stderr, "berth-helper-serve: only systemd runs this, as root, in "
                                       "berth-helper.service\n");
                return 2;
        }

        (void) umask(0077);
        if (prctl(PR_SET_DUMPABLE, 0) < 0)
                return fail("being dumped", -errno);
        r = limit_memory();
        if (r < 0)
                return fail("the limit of memory", r);

        errno = 0;
        user = getpwnam(MANAGER_USER);
        if (!user || user->pw_uid == 0)
                return fail("the user " MANAGER_USER, errno > 0 ? -errno : -ENOENT);

        r = serve(SD_LISTEN_FDS_START, user->pw_uid);
        if (r < 0)
                return fail("the event loop", r);

        return EXIT_SUCCESS;
}
