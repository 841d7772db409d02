/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What outlives the manager: descriptors that systemd keeps for its unit (FDSTORE=1, sd_notify(3)) and hands to the
 * next manager. Of each container with a console there are two: the pty's master, and the memory of its ring.
 */
#pragma once

#include <stddef.h>

#include "spec/limits.h"

typedef enum Kept {
        KEPT_MASTER, /* console-NAME */
        KEPT_RING,   /* ring-NAME */
        _KEPT_N,
} Kept;

/* What a name of LISTEN_FDNAMES stands for: 0, or -EINVAL when it is not one of these. */
int kept_parse(const char *fdname, Kept *ret_kind, char ret_container[static NAME_MAX_LENGTH + 1]);

/* Has systemd keep a descriptor, in the place of one of that kind which it has. Without systemd nothing is kept.
 * 0 or negative errno. */
int kept_store(Kept kind, const char *container, int fd);

/* Has systemd close what it keeps. 0 or negative errno. */
int kept_remove(Kept kind, const char *container);

/* Makes memory that can be kept, filled with zeros, which has SIZE bytes for as long as it lives. */
int kept_memory_new(size_t size, int *ret_fd);

/* Maps it: -EBADMSG if it is not of that size or could shrink. */
int kept_memory_map(int fd, size_t size, void **ret);
