/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The descriptors that come with a request, an argument a{sh}: by name, and of the kind that their name or
 * the operation asks for. They belong to the message.
 */
#pragma once

#include <stddef.h>
#include <systemd/sd-bus.h>

#include "helper/serve/gate.h"
#include "spec/limits.h"

#define GIVEN_WHY_SIZE 256

typedef struct Given {
        const char *names[HELPER_DESCRIPTORS_MAX];
        int fds[HELPER_DESCRIPTORS_MAX];
        size_t n;
} Given;

/* The kind that a name asks for; what no operation knows is -EINVAL. */
typedef int (*GivenKind)(const char *name, DescriptorKind *ret);

/* Reads the argument. 0, a negative errno, or -EINVAL with WHY as a sentence. */
int given_read(sd_bus_message *message, GivenKind kind, Given *ret, char why[static GIVEN_WHY_SIZE]);

/* The descriptor of that name; -EBADF when there is none. */
int given_find(const Given *given, const char *name);

/* Reads one h that has to be of that kind. As above. */
int given_read_one(
                sd_bus_message *message,
                DescriptorKind kind,
                const char *what,
                int *ret,
                char why[static GIVEN_WHY_SIZE]);
