/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What was compiled and can be made again: below CACHE_PARENT a directory for each compiler, in it a file
 * for each result, named by what it was made of. A file has the data and their SHA-256; what is not whole,
 * or not root's alone, is as if it were not there. systemd-tmpfiles removes what nobody has read for long.
 */
#pragma once

#include <stddef.h>

#define CACHE_PARENT "/var/cache/berth"

/* A compiler's directory, made if it is missing; nobody but root may enter it. */
int cache_open(const char *path, int *ret_directory);

/* The data of a file, which the caller frees, and the file, which has these very bytes for as long as it is
 * open. -ENOENT when there is none that can be used, or it is larger than MAX. */
int cache_read(int directory, const char *name, size_t max, char **ret, size_t *ret_size, int *ret_file);

/* What a start finds under a name is whole, unless the power failed. */
int cache_write(int directory, const char *name, const void *data, size_t size, int *ret_file);

/* As a file of the cache has them, into a descriptor. */
int cache_write_to(int fd, const void *data, size_t size);
