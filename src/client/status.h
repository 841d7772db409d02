/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A container's properties as the structure of the public header.
 */
#pragma once

#include <systemd/sd-bus.h>

#include "basic/cleanup.h"
#include "client/include/berth.h"

DEFINE_CLEANUP(berth_status *, berth_status_free)

/* Reads the a{sv} of properties of the container at PATH. A property of another type than expected is
 * -EBADMSG; one that is not known is passed over. */
int status_read(sd_bus_message *message, const char *path, berth_status **ret);
