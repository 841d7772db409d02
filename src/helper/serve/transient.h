/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The transient unit of a run: what container@.service says for containers that have a definition, as the
 * properties of a unit without a file. Nothing in it comes from a caller but the description, the resource
 * properties, which have been through the policy, and standard input. A test compares it with the template.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-bus.h>

#include "helper/serve/properties.h"

typedef struct Transient {
        const char *name; /* the container's */
        const char *unit;
        const char *description; /* NULL: one that names it */
        const Property *properties;
        size_t n_properties;
        int input;  /* becomes standard input */
        bool image; /* the root is a disk image: its start needs a loop device */
} Transient;

/* Appends the arguments of StartTransientUnit. */
int transient_append(sd_bus_message *call, const Transient *transient);
