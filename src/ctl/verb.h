/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What berthctl's verbs have in common. Each has a file of its own, which ends with its Verb, and a row in
 * main.c's table. A verb gets what is left of the command line without the options, which have been stored
 * where its table says, and returns the exit status.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "ctl/options.h"

/* The exit statuses of berthctl, documented in berthctl(1). */
typedef enum ExitStatus {
        STATUS_FINE = 0,
        STATUS_FAILED = 1,        /* it was tried and did not work, or something is wrong with a definition */
        STATUS_USAGE = 2,         /* the command line was not understood */
        STATUS_NOT_RUNNING = 3,   /* the container is not running */
        STATUS_NO_CONTAINER = 4,  /* there is no container of that name */
        STATUS_NOT_PERMITTED = 5, /* the caller may not do that */
        STATUS_WEAK = 6,          /* a container is confined less than by default */
} ExitStatus;

typedef struct Verb {
        const char *name;
        const char *arguments;   /* for the usage line */
        size_t minimum, maximum; /* how many words it takes; SIZE_MAX: any number */
        const Option *options;   /* its own; NULL: none */
        bool local;              /* works on this host only: --host and --machine are refused */
        bool json;               /* has a JSON form; --json is refused otherwise */
        int (*run)(const Arguments *arguments);
        const char *summary;     /* for the list of verbs */
        const char *details;     /* for its own --help */
} Verb;

extern const Verb verb_capabilities, verb_cat, verb_console, verb_create, verb_disable, verb_edit,
        verb_enable, verb_features, verb_freeze, verb_kill, verb_list, verb_logs, verb_monitor,
        verb_remove, verb_restart, verb_run, verb_security, verb_set, verb_start, verb_status, verb_stop, verb_thaw,
        verb_top, verb_verify, verb_version;

/* The more severe of two exit statuses, when one command does several things: the first failure counts. */
static inline int status_join(int so_far, int next) {
        return so_far != STATUS_FINE ? so_far : next;
}
