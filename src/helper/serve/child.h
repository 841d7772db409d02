/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Work that may block or that enters a container, in a process of its own: one result comes back when it has
 * ended. The child has no descriptors but standard input (/dev/null), output and error (the journal), its
 * way to give the result, and those that were named; no signal is blocked; it cannot be dumped or traced by
 * another user, and dies with the helper. A child that ends without a result is an error that says how it
 * ended.
 */
#pragma once

#include <stddef.h>
#include <systemd/sd-event.h>

#include "basic/macro.h"

#define CHILD_TEXT_MAX (128 * 1024) /* bytes of what a child can give back */

typedef struct Child Child;

/* In the child: how the result is given. */
typedef struct ChildReport {
        int socket;
} ChildReport;

/* Runs in the child. Gives a result with one of the functions below and returns 0; a negative errno stands
 * for itself, as HELPER_ERROR_FAILED with the errno's text. */
typedef int (*ChildWork)(ChildReport *report, void *userdata);

/* What the work gave back: an empty text when nothing else. */
int child_give(ChildReport *report, const char *text);

/* A text and a descriptor. */
int child_give_fd(ChildReport *report, const char *text, int fd);

/* An error: a name of spec/helper-interface.h or of D-Bus, and the sentence for people. */
int child_give_error(ChildReport *report, const char *error, const char *format, ...) _printf_(3, 4);

typedef struct ChildResult {
        const char *error; /* NULL: it went well */
        const char *text;  /* what was given, or the sentence */
        int fd;            /* -EBADF: none. Closed after the call unless taken with TAKE_FD() */
} ChildResult;

/* Gets the result when the child has ended. The child object is freed afterwards. */
typedef void (*ChildDone)(ChildResult *result, void *userdata);

/* What a child does, with the descriptors that stay open under their numbers. */
typedef struct ChildTask {
        ChildWork work;
        void *userdata;
        const int *fds;
        size_t n_fds;
} ChildTask;

/* Starts a task in a new process. */
int child_start(sd_event *event, const ChildTask *task, ChildDone done, void *userdata, Child **ret);

/* Kills the child. DONE is called when it has ended, as ever. */
void child_kill(Child *child);
