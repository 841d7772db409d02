/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One request of the manager, from the gate to its one reply: what an operation works with. The operation's
 * function reads the arguments from `message` (the target has been read), refuses with request_fail(), or
 * has something done by systemd (request_systemd()) or in a child (request_child()) and answers from the
 * function that it named for the end.
 *
 * Whatever answers ends the request: after request_reply(), request_fail() or request_fail_systemd() nobody
 * may touch it, so that they stand in a return statement. A function that returns a negative errno has not
 * answered; the caller does so with that error. The loop never waits: what may block belongs into a child.
 */
#pragma once

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "basic/macro.h"
#include "helper/serve/child.h"
#include "helper/serve/table.h"
#include "spec/helper-interface.h"
#include "spec/limits.h"
#include "spec/unit.h"

typedef struct Server Server;
typedef struct Connection Connection;

/* Gets systemd's answer, an error as well. */
typedef int (*RequestAnswer)(Request *request, sd_bus_message *answer);

/* Gets what the child gave back. */
typedef int (*RequestResult)(Request *request, ChildResult *result);

struct Request {
        const Operation *operation;
        sd_bus_message *message;        /* read up to behind the target; descriptors live as long as it */
        UnitKind kind;                  /* of a TARGET_UNIT */
        char name[NAME_MAX_LENGTH + 1]; /* of the container; empty with TARGET_HOST */
        char unit[UNIT_NAME_SIZE];      /* its unit, with TARGET_UNIT */

        /* The operation's own, freed with the request. */
        void *context;
        void (*context_free)(void *context);

        /* Private to request.c and serve.c. */
        Server *server;
        Connection *connection; /* NULL: it was lost, there is nobody to answer to */
        sd_bus_slot *slot;
        Child *child;
        RequestAnswer answer;
        RequestResult result;
        Request *next;
};

/* Answers with values of these types, as sd_bus_message_append() takes them. Returns 0. */
int request_reply(Request *request, const char *types, ...);

/* The same, and behind them an array of strings (as), one a line of LINES. */
int request_reply_lines(Request *request, const char *lines, const char *types, ...);

/* Refuses or fails, with the error's name and the sentence for people; one line goes to the journal. Returns
 * 0. */
int request_fail(Request *request, const char *error, const char *format, ...) _printf_(3, 4);

/* Passes systemd's own words on. Returns 0. */
int request_fail_systemd(Request *request, const sd_bus_error *error);

/* Makes a call of a method of systemd's manager object, for request_systemd(). */
int request_systemd_call(Request *request, const char *member, sd_bus_message **ret);

/* Makes a call that reads a property of one of systemd's objects: interface and name are to be appended. */
int request_systemd_get(Request *request, const char *path, sd_bus_message **ret);

/* Sends a call, which is taken, and has ANSWER get what comes back. Not to be called while something else
 * runs. */
int request_systemd(Request *request, sd_bus_message *call_take, RequestAnswer answer);

/* Runs WORK in a child, which keeps these descriptors and no others (see child.h), and has RESULT get what
 * it gives back. Not to be called while something else runs. */
int request_child(
                Request *request,
                ChildWork work,
                void *userdata,
                const int *fds,
                size_t n_fds,
                RequestResult result);

/* Does nothing but pass an error on, or answer without values. */
int request_result_empty(Request *request, ChildResult *result);
int request_answer_empty(Request *request, sd_bus_message *answer);
