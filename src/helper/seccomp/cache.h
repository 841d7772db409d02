/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Filter programs in their part of the cache (store/cache.h).
 */
#pragma once

#include "helper/seccomp/program.h"

/* The cache's directory, made if it is missing; nobody but root may enter it. */
int seccomp_cache_open(int *ret_directory);

/* -ENOENT when there is no program of this name that can be used. */
int seccomp_cache_read(int directory, const char *name, SeccompProgram *ret);

/* Checks instructions and keeps them: under their name if there is a directory, else in memory. -EBADMSG for
 * what no filter can be. */
int seccomp_cache_keep(
                int directory, const char *name, const void *instructions, size_t size, SeccompProgram *ret);
