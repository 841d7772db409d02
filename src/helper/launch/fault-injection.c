/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Test builds only (-Dfault-injection=true): BERTH_FAULT=STEP:WHAT in the launcher's environment makes a step of a
 * start go wrong as it begins. WHAT is "kill" (the process that runs the step is killed), "hang" (it sleeps until
 * somebody kills it, under a name that tells) or the number of an errno that the step then fails with.
 */
#include "helper/launch/failure.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int fault_inject(const char *step) {
        const char *fault = getenv("BERTH_FAULT");
        size_t length = strlen(step);
        long error;

        if (!fault || strncmp(fault, step, length) != 0 || fault[length] != ':')
                return 0;

        fault += length + 1;
        if (strcmp(fault, "kill") == 0) {
                (void) kill(getpid(), SIGKILL);
                _exit(EXIT_FAILURE); /* process 1 of a namespace cannot kill itself, but end without a word */
        }
        if (strcmp(fault, "hang") == 0) {
                (void) prctl(PR_SET_NAME, "hanging-step");
                for (;;)
                        (void) pause();
        }

        error = strtol(fault, NULL, 10);
        return error > 0 && error < 4096 ? (int) -error : -EIO;
}
