/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/serve/given.h"

#include <errno.h>
#include <stdio.h>

#include "basic/string.h"
#include "spec/handover.h"

static int refuse(char why[static GIVEN_WHY_SIZE], const char *name, const char *rule) {
        (void) snprintf(why, GIVEN_WHY_SIZE, "Descriptor \"%.63s\": %s", name, rule);
        return -EINVAL;
}

/* Adds one that has been read, if it is what it has to be. */
static int
given_add(Given *given, const char *name, int fd, GivenKind kind, char why[static GIVEN_WHY_SIZE]) {
        DescriptorKind expected;

        if (!handover_name_is_valid(name))
                return refuse(why, name, HANDOVER_NAME_RULE);
        if (given_find(given, name) >= 0)
                return refuse(why, name, "it is there twice");
        if (given->n >= HELPER_DESCRIPTORS_MAX)
                return refuse(why, name, "there are too many");
        if (kind(name, &expected) < 0)
                return refuse(why, name, "there is nothing that it could be for");
        if (gate_descriptor(fd, expected) < 0)
                return refuse(why, name, gate_descriptor_rule(expected));

        given->names[given->n] = name;
        given->fds[given->n++] = fd;

        return 0;
}

int given_read(sd_bus_message *message, GivenKind kind, Given *ret, char why[static GIVEN_WHY_SIZE]) {
        Given given = {};
        int r;

        (void) snprintf(why, GIVEN_WHY_SIZE, "The descriptors cannot be read");
        r = sd_bus_message_enter_container(message, 'a', "{sh}");
        if (r < 0)
                return r;

        for (;;) {
                const char *name;
                int fd;

                r = sd_bus_message_read(message, "{sh}", &name, &fd);
                if (r < 0)
                        return r;
                if (r == 0)
                        break;
                r = given_add(&given, name, fd, kind, why);
                if (r < 0)
                        return r;
        }

        r = sd_bus_message_exit_container(message);
        if (r < 0)
                return r;

        *ret = given;
        return 0;
}

int given_find(const Given *given, const char *name) {
        for (size_t i = 0; i < given->n; i++)
                if (streq(given->names[i], name))
                        return given->fds[i];

        return -EBADF;
}

int given_read_one(
                sd_bus_message *message,
                DescriptorKind kind,
                const char *what,
                int *ret,
                char why[static GIVEN_WHY_SIZE]) {
        int r, fd;

        (void) snprintf(why, GIVEN_WHY_SIZE, "The descriptor cannot be read");
        r = sd_bus_message_read_basic(message, 'h', &fd);
        if (r < 0)
                return r;
        if (gate_descriptor(fd, kind) < 0)
                return refuse(why, what, gate_descriptor_rule(kind));

        *ret = fd;
        return 0;
}
