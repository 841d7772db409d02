/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * About how much memory a message takes for as long as it is kept: sd-bus does not tell.
 */
#pragma once

#include <stddef.h>
#include <systemd/sd-bus.h>

/* Counts what is in the message, from its beginning; it is left to be rewound by who reads it again. What has more than
 * MAX is not read to its end: -E2BIG. */
int message_size(sd_bus_message *message, size_t max, size_t *ret);
