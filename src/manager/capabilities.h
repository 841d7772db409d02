/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What this host can do for containers: a word each, which the property HostCapabilities has and the interface file
 * documents. Everything is found out by looking, not by versions, changes nothing and needs no rights. What only
 * the bus knows is asked when the table is made, without waiting for it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-bus.h>

#include "basic/cleanup.h"

#define CAPABILITIES_MAX 32
#define CAPABILITY_REASON_SIZE 160

typedef struct Capability {
        const char *word;
        char reason[CAPABILITY_REASON_SIZE]; /* why not, a sentence; empty if it is there */
} Capability;

/* What the bus says. */
typedef struct BusFacts {
        bool known;       /* it has answered */
        bool polkit, machined;
        char systemd[32]; /* its version; empty if it has not been told */
} BusFacts;

typedef struct Capabilities Capabilities;

int capabilities_new(sd_bus *bus, Capabilities **ret);
Capabilities *capabilities_free(Capabilities *capabilities);
DEFINE_CLEANUP(Capabilities *, capabilities_free)

/* Appends the a{sv}: to each word true, or the reason. */
int capabilities_append(const Capabilities *capabilities, sd_bus_message *reply);

/* Looks below the directory ROOT_FD, which is "/" but for tests. Returns how many there are. */
size_t capabilities_probe(int root_fd, const BusFacts *facts, Capability ret[static CAPABILITIES_MAX]);
