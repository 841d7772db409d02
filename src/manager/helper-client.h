/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection to the helper: made when it is needed, given up when nothing has been asked for a while, so
 * that the helper can end. When the helper is lost, each question that waits gets an error. More questions
 * than the helper takes at a time wait here for their turn, those that take long apart from the others, so
 * that they hold nobody up.
 */
#pragma once

#include "manager/manager.h"

typedef struct HelperCall HelperCall;

/* SILENCE_USEC: see HELPER_LONG. */
int helper_client_new(sd_event *event, uint64_t silence_usec, HelperClient **ret);

/* There are no calls any more. */
HelperClient *helper_client_free(HelperClient *client);
DEFINE_CLEANUP(HelperClient *, helper_client_free)

/* A message for METHOD, to be filled with its arguments. 0 or negative errno: the helper cannot be reached.
 */
int helper_message_new(HelperClient *client, const char *method, sd_bus_message **ret);

/* How long a question may take. */
typedef enum HelperWork {
        HELPER_SHORT, /* a helper that does not answer in time counts as lost */
        HELPER_LONG,  /* the work takes as long as it takes: data. A helper that is silent too long counts as lost */
        _HELPER_WORK_N,
} HelperWork;

/* Gets the reply or an error, once. The call is over then. */
typedef void (*HelperAnswer)(sd_bus_message *reply, void *userdata);

/* Asks. The call has to be freed, in ANSWER or before: then the answer goes nowhere. 0 or negative errno. */
int helper_call_new(
                HelperClient *client,
                sd_bus_message *message,
                HelperWork work,
                HelperAnswer answer,
                void *userdata,
                HelperCall **ret);

/* The helper has said something about this: progress. NULL is none. */
void helper_call_heard(HelperCall *call);

HelperCall *helper_call_free(HelperCall *call);
DEFINE_CLEANUP(HelperCall *, helper_call_free)
