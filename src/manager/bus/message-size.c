/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/bus/message-size.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define VALUE_SIZE 8 /* of a number, and of what comes with a string or container */

/* What is left of the container that is being read. The recursion is as deep as D-Bus lets containers be: 64. */
static int add_rest(sd_bus_message *message, size_t max, size_t *size) {
        const char *contents;
        char type;
        int r;

        while ((r = sd_bus_message_peek_type(message, &type, &contents)) > 0) {
                union {
                        const char *text;
                        uint64_t number;
                        int fd;
                } value = {};

                *size += VALUE_SIZE;
                if (contents) {
                        r = sd_bus_message_enter_container(message, type, contents);
                        if (r >= 0)
                                r = add_rest(message, max, size);
                        if (r >= 0)
                                r = sd_bus_message_exit_container(message);
                } else {
                        r = sd_bus_message_read_basic(message, type, &value);
                        if (r >= 0 && (type == 's' || type == 'o' || type == 'g'))
                                *size += strlen(value.text);
                }
                if (r >= 0 && *size > max)
                        r = -E2BIG;
                if (r < 0)
                        return r;
        }

        return r;
}

int message_size(sd_bus_message *message, size_t max, size_t *ret) {
        size_t size = 0;
        int r;

        r = sd_bus_message_rewind(message, true);
        if (r >= 0)
                r = add_rest(message, max, &size);
        if (r < 0)
                return r;

        *ret = size;
        return 0;
}
