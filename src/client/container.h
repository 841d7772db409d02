/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls to a container's object, for the files of the library that make them.
 */
#pragma once

#include "client/connection.h"

/* Starts a call to a method of a container, by its name. A name that breaks the rule is
 * BERTH_ERROR_INVALID_NAME. */
int container_method(berth *connection, const char *name, const char *member, sd_bus_message **ret_message);

/* As connection_call(), and an object that is not there is BERTH_ERROR_NO_SUCH_CONTAINER. */
int container_call(berth *connection, const char *name, sd_bus_message *message, sd_bus_message **ret_reply);

/* The path of a container's object, errors kept. */
int container_path(const char *name, char **ret_path);

/* Keeps the error for a container that is not there, if that is what the last one, R, means; else returns R.
 */
int container_missing(berth *connection, const char *name, int r);
