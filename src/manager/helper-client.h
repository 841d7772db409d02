/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection to the helper: made when it is needed, given up when nothing has been asked for a while, so
 * that the helper can end. When the helper is lost, each question that waits gets an error.
 */
#pragma once

#include "manager/manager.h"

int helper_client_new(sd_event *event, HelperClient **ret);

HelperClient *helper_client_free(HelperClient *client);
DEFINE_CLEANUP(HelperClient *, helper_client_free)

/* A call of METHOD, to be filled with its arguments. 0 or negative errno: the helper cannot be reached. */
int helper_call_new(HelperClient *client, const char *method, sd_bus_message **ret);

/* Sends it; HANDLER gets the reply or an error, once, unless RET_SLOT is let go before. A helper that does
 * not answer in TIMEOUT_USEC counts as lost; UINT64_MAX for work that takes as long as it takes. */
int helper_call_send(
                HelperClient *client,
                sd_bus_message *call,
                uint64_t timeout_usec,
                sd_bus_message_handler_t handler,
                void *userdata,
                sd_bus_slot **ret_slot);

/* An answer came, or will not come. */
void helper_call_done(HelperClient *client);
