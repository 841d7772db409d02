/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of containers, groups and hosts; see name.h.
 */
#include <string.h>

#include "basic/string.h"
#include "spec/limits.h"
#include "spec/name.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

#define HOSTNAME_MAX_LENGTH 64
#define LABEL_MAX_LENGTH 63
#define PART_MAX_LENGTH 255

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

/* The number of a process, or what stands for the reader's own. */
static bool names_process(const char *name, size_t n) {
        return strspn(name, DIGITS) == n || (n == 4 && memcmp(name, "self", n) == 0) ||
                (n == 11 && memcmp(name, "thread-self", n) == 0);
}

bool kernel_path_is_valid(const char *path) {
        const char *proc = string_after_prefix(path, "/proc"), *rest = proc ?: string_after_prefix(path, "/sys");

        if (!rest || strlen(path) >= PATH_SIZE_MAX || strpbrk(path, " \t\"'\\"))
                return false;

        while (*rest) {
                size_t n = *rest == '/' ? strcspn(rest + 1, "/") : 0;

                if (n == 0 || n > PART_MAX_LENGTH || (n <= 2 && memcmp(rest + 1, "..", n) == 0))
                        return false;
                if (rest == proc && names_process(rest + 1, n))
                        return false;
                rest += 1 + n;
        }

        return true;
}
