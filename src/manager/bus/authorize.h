/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who calls, and whether polkit allows what is called. Nothing here blocks: where an answer has to be waited for, the
 * call is kept and its handler is run again from the beginning when the answer is there. A method does, in this order:
 * read its arguments, check them, authorize(), act; before authorize() returned 1 it must have had no effect.
 *
 *     r = authorize(authorizer, call, &request, ret_error);
 *     if (r <= 0)
 *             return r < 0 ? r : 1;
 *
 * A decision holds for one message, action and details: if the handler asks something else when it is run again, it is
 * refused. A caller that leaves the bus takes all its waiting calls with it, and polkit is told that nobody waits.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "basic/cleanup.h"

typedef struct Authorizer Authorizer;

typedef struct AuthorizeRequest {
        const char *action_own; /* asked for when the caller is OWNER; without "org.berth.container1." */
        const char *action;     /* asked for when it is not; may be the same */
        uid_t owner;            /* of the container; 0 for the host's */
        const char *container;  /* its plain name; "" when it is about all */
        const char *verb;       /* "restart": what an administrator's rule compares */
} AuthorizeRequest;

/* The bus has to be attached to an event loop. */
int authorizer_new(sd_bus *bus, Authorizer **ret);
Authorizer *authorizer_free(Authorizer *a);
DEFINE_CLEANUP(Authorizer *, authorizer_free)

/* 1: go on. 0: the answer is being waited for, the handler will be run again; return 1 to sd-bus. Negative: refused,
 * and the error is set: AccessDenied, InteractiveAuthorizationRequired (the caller may try again with
 * ALLOW_INTERACTIVE_AUTHORIZATION) or LimitsExceeded; -ESTALE when the question changed meanwhile. uid 0 is never asked
 * about. */
int authorize(Authorizer *a, sd_bus_message *call, const AuthorizeRequest *request, sd_bus_error *ret_error);

/* The uid of the caller. 1: it is known. 0: it is being asked for, the handler will be run again; return 1 to sd-bus.
 * Negative: cannot be told, and the error is set. */
int sender_uid(Authorizer *a, sd_bus_message *call, uid_t *ret_uid, sd_bus_error *ret_error);

/* The same for the getter of a property, which cannot wait: 0, or -ENODATA when it is not known (yet). For
 * org.freedesktop.DBus.Properties.Get it always is: such a call reaches its getter only with a known caller. CALL is
 * what sd_bus_get_current_message() says. */
int sender_uid_known(const Authorizer *a, sd_bus_message *call, uid_t *ret_uid);

/* How many of those that ever called are still connected, and who tells when one is not any more. */
size_t authorizer_callers(const Authorizer *a);
void authorizer_on_gone(Authorizer *a, void (*gone)(const char *unique_name, void *userdata), void *userdata);
