/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/process/clean.h"

#include <errno.h>
#include <signal.h>

int signals_reset(void) {
        const struct sigaction action = { .sa_handler = SIG_DFL };
        sigset_t none;

        /* The exec itself resets handlers, and systemd starts its services with nothing ignored but SIGPIPE, if the
         * unit says so. This program ignores SIGXFSZ. */
        if (sigaction(SIGPIPE, &action, NULL) < 0 || sigaction(SIGXFSZ, &action, NULL) < 0)
                return -errno;
        if (sigemptyset(&none) < 0 || sigprocmask(SIG_SETMASK, &none, NULL) < 0)
                return -errno;

        return 0;
}
