/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of operations: all that the manager can have done, one row each, with the reason why that is
 * safe to grant to a manager that somebody took over. What is in no row is refused.
 *
 * A new operation is a row here, a function in src/helper/ops/, and its lines in spec/helper-interface.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct Request Request;

/* What the first argument names. It is checked before the operation runs, which finds it in the request. */
typedef enum OperationTarget {
        TARGET_HOST, /* nothing: the operation is about the host */
        TARGET_UNIT, /* a container's unit */
        TARGET_NAME, /* a container's name */
        _OPERATION_TARGET_N,
} OperationTarget;

/* What becomes of a child when the connection that asked for its work is lost. What was asked of systemd is
 * done anyway; nobody hears of it. */
typedef enum OperationLoss {
        LOSS_FINISH, /* the child goes on: what it does is short, or must not stop in the middle */
        LOSS_KILL,   /* it is killed: what it has made so far does not count until its last step */
        _OPERATION_LOSS_N,
} OperationLoss;

typedef struct Operation {
        const char *member;
        const char *arguments; /* the signature, exactly */
        OperationTarget target;
        OperationLoss loss;
        bool exclusive; /* no other such operation on the same container at the same time */
        int (*run)(Request *request);
        const char *why; /* it is safe to grant */
} Operation;

extern const Operation operations[];
extern const size_t n_operations;

/* The row of a member; NULL if there is none. */
const Operation *operation_find(const char *member);
