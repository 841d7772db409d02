/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The service as a whole, for the other parts of the library.
 */
#pragma once

#include "client/connection.h"

/* Has the features of the service in the connection. Errors are kept. */
int service_load_features(berth *connection);

/* Asks for a property, and enters the variant that the answer is. Errors are kept. */
int service_get(berth *connection,
                const char *path,
                const char *interface,
                const char *property,
                const char *type,
                sd_bus_message **ret_reply);
