/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Free blocks of ids for user namespaces: 65536 user and group ids at a multiple of 65536, that no user or group of
 * the host, no line of /etc/subuid and /etc/subgid, and no other container has. Shared with systemd-nspawn by its own
 * protocol: a lock on /run/systemd/nspawn-uid/BASE is held as long as the block is in use (nspawn.c, uid_shift_pick()).
 */
#pragma once

#include <stdint.h>

#include "helper/launch/store.h"

/* The first and last base that are given out: SYSTEMD's "container" range, docs/UIDS-GIDS.md. */
#define BLOCK_BASE_MIN UINT32_C(524288)
#define BLOCK_BASE_MAX UINT32_C(1878982656)

/* Finds a free block, locks it and adds the lock to the store. The same name gets the same block as long as nobody
 * else has it. If the store already holds a block from before a reboot of the guest, that one is kept.
 * BLOCK_E_NONE if there is no free block. */
enum {
        BLOCK_E_NONE = 1,
};

int block_acquire(FdStore *store, const char *name, uint32_t *ret_base);
