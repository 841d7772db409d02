/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berth-manager: the D-Bus service org.berth.container1. Started by systemd when somebody calls it; it has
 * no rights and ends when nobody needs it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manager/bus/members.h"
#include "manager/manager.h"

static int usage(FILE *stream, int status) {
        (void) fprintf(stream,
                       "Usage: berth-manager\n"
                       "       berth-manager --list-actions   print each method with its polkit actions\n"
                       "       berth-manager --help | --version\n"
                       "\n"
                       "The D-Bus service " BUS_NAME ", started by systemd. Use berthctl or busctl.\n");
        return status;
}

static int list_actions(void) {
        for (size_t i = 0; i < n_members; i++) {
                const Member *member = &members[i];

                (void) printf("%s %s %s", member->interface, member->name,
                              member->own ? member->own : "none");
                if (member->own && strcmp(member->own, member->action) != 0)
                        (void) printf(" %s", member->action);
                (void) printf("\n");
        }

        return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv) {
        if (argc == 2 && strcmp(argv[1], "--help") == 0)
                return usage(stdout, EXIT_SUCCESS);
        if (argc == 2 && strcmp(argv[1], "--version") == 0) {
                (void) printf("berth %s\n", BERTH_VERSION);
                return EXIT_SUCCESS;
        }
        if (argc == 2 && strcmp(argv[1], "--list-actions") == 0)
                return list_actions();
        if (argc != 1)
                return usage(stderr, 2);

        return manager_run() < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
