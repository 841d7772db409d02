/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What berthctl's verbs have in common: a verb is a function that gets its own name and arguments as main()
 * would, and returns the exit status. Each has a file of its own and a row in main.c's table.
 */
#pragma once

#include <stddef.h>

/* The exit statuses of berthctl, documented in berthctl(1). */
typedef enum ExitStatus {
        STATUS_FINE = 0,
        STATUS_FAILED = 1,     /* it was tried and did not work, or something is wrong with a definition */
        STATUS_USAGE = 2,      /* the command line was not understood */
        STATUS_NO_CONTAINER = 4,
} ExitStatus;

typedef struct Verb {
        const char *name;
        const char *arguments; /* for the usage line */
        int minimum;           /* how many arguments it takes at least */
        int (*run)(int argc, char **argv);
        const char *summary;   /* for the list of verbs */
        const char *details;   /* for its own --help */
} Verb;

int verb_cat(int argc, char **argv);
int verb_verify(int argc, char **argv);

/* The more severe of two exit statuses, when one command does several things: the first failure counts. */
static inline int status_join(int so_far, int next) {
        return so_far != STATUS_FINE ? so_far : next;
}
