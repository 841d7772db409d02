/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a guest says that it is, os-release(5). A guest writes what it wants into that file and makes of it
 * what it wants: it is opened as the guest sees it, only if it is a regular file, and only its beginning is
 * read. What comes out may still be anything that is UTF-8.
 */
#pragma once

#include <stdint.h>

#define OS_RELEASE_SIZE_MAX 65536
#define OS_RELEASE_NAME_MAX 64 /* bytes that are shown of a name */

/* The name for people in a text of that form: PRETTY_NAME, NAME or ID, cut to OS_RELEASE_NAME_MAX bytes. 0,
 * -ENOMEM, or -ENODATA if it has none that is valid UTF-8. */
int os_release_name(const char *text, char **ret_name);

/* The same for the root directory that a descriptor is of. Negative errno. */
int os_release_read(int root_fd, char **ret_name);

/* The same for the root directory of a process of this host, which takes the right to look into it. */
int os_release_of_process(uint32_t pid, char **ret_name);
