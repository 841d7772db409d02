/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names: of containers, of groups of them, the host names that a container may bear, parts of the kernel's
 * file systems.
 */
#pragma once

#include <stdbool.h>

/* [a-z0-9][a-z0-9.-]*, at most 63 characters, and a valid host name: so it is a unit's instance, a file name
 * and a host name at once and never needs escaping. */
bool container_name_is_valid(const char *name);

/* Like a container's name, in upper case too, and with "_". */
bool group_name_is_valid(const char *name);

/* Labels of letters, digits and "-", not at an end, joined by dots; at most 64 characters, Linux's limit. */
bool hostname_is_valid(const char *name);

/* A part of the kernel's file systems: /proc, /sys or a path below, with nothing in it to resolve, and not what
 * belongs to one process. */
bool kernel_path_is_valid(const char *path);

/* The rule for containers' names in words, for messages. */
#define CONTAINER_NAME_RULE                                                                                 \
        "a name is 1 to 63 characters a-z, 0-9, '-' and '.', and begins and ends with a letter or digit "   \
        "on "                                                                                               \
        "both sides of each '.'"
