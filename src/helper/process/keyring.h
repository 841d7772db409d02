/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The session keyring: a process that has not one of its own can use the keys of whoever started it.
 */
#pragma once

#include <stdint.h>

/* What a user has of what the kernel allows; see keyrings(7). */
typedef struct KeyQuota {
        unsigned keys, keys_max;
        unsigned bytes, bytes_max;
} KeyQuota;

/* Joins a session keyring of this process's own. A kernel without keyrings is fine; anything else is an
 * error, since the container would run on the host's keyring. */
int keyring_join(void);

/* From /proc/key-users, where ids are as this process sees them. -ENOENT if the user is not in it. */
int keyring_quota(uint32_t uid, KeyQuota *ret);

/* The same from the file's text. */
int keyring_quota_parse(const char *text, uint32_t uid, KeyQuota *ret);
