/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berth-helper: the program with rights. Run by systemd from a container's unit, not by people.
 *
 *   launch NAME           start the container in the unit that this process belongs to (ExecStart=)
 *   launch --stdin NAME   the same, with a definition that the service hands over on standard input
 *   stop NAME             ask it to power off (ExecStop=)
 *   post-stop NAME        run its hooks, now that it has ended (ExecStopPost=, where it has some)
 *   clean NAME            remove what a transient run left in berth's store (ExecStopPost=)
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/launch/launch.h"
#include "helper/stop/clean.h"
#include "helper/stop/hooks.h"
#include "helper/stop/stop.h"

/* clang-format off */
static const struct {
        const char *name, *option;
        int (*run)(const char *container);
} commands[] = {
        { "launch", NULL, launch },
        { "launch", "--stdin", launch_transient },
        { "stop", NULL, stop },
        { "post-stop", NULL, post_stop },
        { "clean", NULL, clean },
};

static int usage(FILE *stream, int status) {
        (void) fprintf(stream, "Usage: berth-helper launch [--stdin] NAME\n"
                               "       berth-helper stop NAME\n"
                               "       berth-helper post-stop NAME\n"
                               "       berth-helper clean NAME\n"
                               "\n"
                               "Run by systemd in the unit container@NAME.service. Use systemctl start container@NAME.\n");
        return status;
}
/* clang-format on */

int main(int argc, char **argv) {
        if (argc == 2 && strcmp(argv[1], "--help") == 0)
                return usage(stdout, EXIT_SUCCESS);
        if (argc == 2 && strcmp(argv[1], "--version") == 0) {
                (void) printf("berth %s\n", BERTH_VERSION);
                return EXIT_SUCCESS;
        }
        if (argc != 3 && argc != 4)
                return usage(stderr, 2);
        if (geteuid() != 0) {
                (void) fprintf(stderr, "berth-helper: only systemd runs this, as root; use systemctl start container@NAME\n");
                return EXIT_FAILURE;
        }

        /* With LimitFSIZE= it is a file that cannot be written, and said, not the end of this process. */
        if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
                return EXIT_FAILURE;

        for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
                if (strcmp(argv[1], commands[i].name) == 0 && !commands[i].option == (argc == 3) &&
                    (argc == 3 || strcmp(argv[2], commands[i].option) == 0))
                        return commands[i].run(argv[argc - 1]);

        return usage(stderr, 2);
}
