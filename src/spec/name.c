/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of containers, groups and hosts; see name.h.
 */
#include <string.h>

#include "spec/limits.h"
#include "spec/name.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

#define HOSTNAME_MAX_LENGTH 64
#define LABEL_MAX_LENGTH 63

/* Dot-separated labels of ALPHABET, none empty, none with "-" at an end. */
static bool labels_are_valid(const char *name, const char *alphabet) {
        for (;;) {
                size_t n = strspn(name, alphabet);

                if (n == 0 || n > LABEL_MAX_LENGTH || name[0] == '-' || name[n - 1] == '-')
                        return false;
                if (!name[n])
                        return true;
                if (name[n] != '.')
                        return false;
                name += n + 1;
        }
}

bool container_name_is_valid(const char *name) {
        return strnlen(name, NAME_MAX_LENGTH + 1) <= NAME_MAX_LENGTH &&
               labels_are_valid(name, LOWER DIGITS "-");
}

bool group_name_is_valid(const char *name) {
        return strnlen(name, NAME_MAX_LENGTH + 1) <= NAME_MAX_LENGTH &&
                labels_are_valid(name, LOWER UPPER DIGITS "-_");
}

bool hostname_is_valid(const char *name) {
        return strnlen(name, HOSTNAME_MAX_LENGTH + 1) <= HOSTNAME_MAX_LENGTH &&
                labels_are_valid(name, LOWER UPPER DIGITS "-");
}
