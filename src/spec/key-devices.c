/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kind of value that [Device] has for itself: what may be done with a device, as the letters r, w and m.
 */
#include <errno.h>
#include <string.h>

#include "spec/key-types.h"

static const char letters[] = "rwm"; /* letter i is bit i of DeviceAccess */

static int parse_access(KeyContext *context, const char *value, void *field) {
        unsigned access = 0;

        for (const char *p = value; *p; p++) {
                const char *letter = strchr(letters, *p);

                if (!letter)
                        return key_refuse_value(
                                        context, value,
                                        "is not known; it takes r (read), w (write) and m (make nodes), "
                                        "such as rw");
                access |= 1U << (letter - letters);
        }

        memcpy(field, &access, sizeof access);
        return 0;
}

static int print_access(const Key *key, const void *field, FILE *stream) {
        unsigned access;

        memcpy(&access, field, sizeof access);
        fprintf(stream, "%s=", key->name);
        for (unsigned i = 0; letters[i]; i++)
                if (access & (1U << i))
                        fputc(letters[i], stream);
        fputc('\n', stream);

        return ferror(stream) ? -EIO : 0;
}

const KeyType key_type_access = {
        .size = sizeof(unsigned),
        .parse = parse_access,
        .print = print_access,
};
