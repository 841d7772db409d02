/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The last error of a thread: a name, a sentence that is fit to be shown, and the connection it belongs to.
 * It lives until the thread's next call or its end.
 */
#pragma once

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "basic/macro.h"

#define ERROR_MESSAGE_MAX 16384 /* bytes of a sentence; what is longer is cut */

/* Begins a call on a connection (0: an attempt to open one): there is no error. */
void error_reset(uint64_t connection);

/* Each of these keeps an error of the call that error_reset() began, and returns the negative errno for it.
 */

/* What the service said. */
int error_set_bus(const sd_bus_error *error);

/* What the library finds by itself: a name of the header, and its sentence. */
int error_set(const char *name, const char *format, ...) _printf_(2, 3);

/* A negative errno that stopped the library, and what it was doing. */
int error_set_errno(int r, const char *doing);

/* The kept error of a connection: NULL and "" if there is none. */
const char *error_name(uint64_t connection);
const char *error_message(uint64_t connection);
