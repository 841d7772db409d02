/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order of starts: what After= of all definitions comes to, with groups replaced by their members and
 * without circles. systemd would break a circle by dropping the job of some unit in it, perhaps of one that
 * has no part in the mistake; here it is a part of the order that gives way, always the same.
 *
 * A definition that is not trusted delays nobody but itself: a group that is named by a trusted one has
 * trusted members only, and where a circle goes through both it is the untrusted one whose order is dropped.
 */
#pragma once

#include <stddef.h>

#include "basic/cleanup.h"
#include "spec/definition.h"

/* The names belong to the definitions. */
typedef struct Order {
        const char **after;    /* the containers that this one is started after */
        size_t n_after;
        const char **left_out; /* those that it should be, but which are started after it themselves */
        size_t n_left_out;
} Order;

typedef struct Orders {
        Order *list;
        size_t n;
} Orders;

#define ORDERS_EMPTY { NULL, 0 }

void orders_clear(Orders *orders);

/* The order of each of ALL, which are sorted by name as definition_list() gives the names. Trusted ones are
 * considered before others, and each kind by name: of a circle, what is left out is of the last one. 0 or
 * -ENOMEM. */
int orders_make(Definition *const *all, size_t n_all, Orders *ret);
