/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A D-Bus call that waits: for the helper's answer, then perhaps for a job of systemd. It answers its caller
 * exactly once, also when the helper is lost, and holds its container until then. A caller that has gone
 * changes nothing: what was begun is finished, and the answer goes nowhere.
 *
 *     asked --helper: error--------------------------------> error
 *       |-----helper: done-------------------------------> reply
 *       +-----helper: job--> waiting --job: done--> reply
 *                               |      --job: failed, canceled--> error, by what the unit says
 *                               +-- time limit: everything is killed --> job: done --> TimedOut
 */
#pragma once

#include "manager/manager.h"

typedef enum OperationKind {
        OPERATION_SIMPLE,  /* the helper's empty answer is the caller's */
        OPERATION_FREEZER, /* the same, when the property State has followed */
        OPERATION_START,
        OPERATION_STOP,
        OPERATION_RESTART,
        OPERATION_CREATE, /* answers with the object */
        OPERATION_RUN,    /* the same, after the start's job */
        OPERATION_REMOVE,
        OPERATION_OPEN_ROOT, /* answers with the descriptor */
        OPERATION_RELOAD,    /* looks at the definitions before it answers */
} OperationKind;

/* A new operation for CALL on CONTAINER (NULL: on none). 0, or negative errno with the error set:
 * LimitsExceeded. It is owned by the manager as soon as operation_ask() succeeded. */
int operation_new(
                Manager *manager,
                OperationKind kind,
                sd_bus_message *call,
                Container *container,
                Operation **ret,
                sd_bus_error *error);

Operation *operation_free(Operation *operation);
DEFINE_CLEANUP(Operation *, operation_free)

/* BUSY is what the container cannot be touched for while the operation lasts, as a clause. */
void operation_exclude(Operation *operation, const char *busy);

/* What is left of the container is killed after this time; for OPERATION_STOP. */
void operation_set_timeout(Operation *operation, uint64_t usec);

/* Makes the call of the helper's METHOD, to be filled with its arguments. */
int operation_call(Operation *operation, const char *method, sd_bus_message **ret, sd_bus_error *error);

/* A pipe for the helper's progress: the writing end, which the caller closes once it was sent. */
int operation_progress(Operation *operation, int *ret_fd);

/* Sends what operation_call() made. 0: the operation takes care of itself from now on and *OPERATION is
 * NULL; or negative errno with the error set. */
int operation_ask(Operation **owner, sd_bus_message *helper_call, sd_bus_error *error);

/* Job ID of the container's unit has ended, as container_job_end() tells. */
void operations_job_ended(Manager *manager, Container *container, uint32_t id);

/* Ends all without an answer, when the manager leaves. */
void operations_done(Manager *manager);
