/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Id maps: which user and group ids of the host stand behind those inside. The ranges are a definition's IDMap= with
 * every "auto" resolved.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "spec/definition.h"

/* Where berth keeps roots of its own: ids on disk are inside + FOREIGN_BASE, as systemd's "foreign" range, so that no
 * file of a container is ever owned by a user of the host (systemd's docs/UIDS-GIDS.md). */
#define FOREIGN_BASE UINT32_C(0x7FFE0000)
#define ID_BLOCK_SIZE UINT32_C(65536)

#define IDMAP_RANGES_MAX 32

typedef struct IdMap {
        IdRange ranges[IDMAP_RANGES_MAX];
        size_t n;
} IdMap;

/* Does a definition's list need a free block (does it have an "auto")? */
bool id_ranges_need_block(const IdRange *ranges, size_t n);

/* Resolves "auto" against a block that starts at base: the inside id is added to it. No ranges at all stand for the
 * whole block. -ERANGE when an automatic range does not fit into a block, -E2BIG for more than IDMAP_RANGES_MAX. */
int idmap_resolve(IdMap *map, const IdRange *ranges, size_t n, uint32_t base);

/* The host's id behind an inside id; false if it is not mapped. */
bool idmap_to_host(const IdMap *map, IdKind kind, uint32_t inside, uint32_t *ret);

/* The first inside id of a kind that is mapped. */
bool idmap_first(const IdMap *map, IdKind kind, uint32_t *ret_inside);

/* Are all ids the same inside and outside? */
bool idmap_is_identity(const IdMap *map);

/* The map that shows files which lie on disk in the foreign range: inside ids moved up by FOREIGN_BASE. -ERANGE when an
 * id is too large for that. */
int idmap_foreign(const IdMap *map, IdMap *ret);

/* Writes the maps of a process whose /proc directory this is. The caller must have rights above its user namespace. */
int idmap_write(const IdMap *map, int proc_dirfd);

/* A descriptor of a new user namespace with these maps, for id-mapped mounts only; no process stays in it. */
int idmap_open_namespace(const IdMap *map, int *ret_fd);
