/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keeping containers: definitions that were made over D-Bus, and the data that berth makes for them. Each function does
 * its work whole or, as far as anybody who looks by name can see, not at all; what is left of one that was killed is
 * put away by store_sweep(). They block, and are run in a process of their own, one at a time for a container.
 *
 * Who asks is trusted with nothing: definitions are untrusted, and data counts for what its descriptor proves.
 *
 *   archive    its bytes are looked at by berth-unpack only
 *   directory  opened for reading, on a mount of the host's, and with nothing for group and others: so that only its
 *              owner or root can have opened it. Root's: ids 0 to 65535 as they are. A user's: the user's files
 *              alone count, as the root's.
 *   image      as image.h has it
 */
#pragma once

#include <stdbool.h>

#include "helper/store/place.h"

typedef enum StoreDataKind {
        STORE_DATA_NONE,  /* none, or what is kept */
        STORE_DATA_EMPTY, /* a root that is filled later */
        STORE_DATA_TAR,
        STORE_DATA_DIRECTORY,
        STORE_DATA_IMAGE,
        _STORE_DATA_N,
} StoreDataKind;

typedef struct StoreData {
        StoreDataKind kind;
        int fd;       /* -EBADF with STORE_DATA_NONE */
        int progress; /* a pipe for lines "DONE TOTAL", or -EBADF */
} StoreData;

/* The kind that a name in spec/helper-interface.h stands for; STORE_DATA_NONE: none. */
StoreDataKind store_data_kind(const char *name);

/* Keeps a definition with its data. REPLACE: there has to be one already, which is replaced; its data stays. RET_NOTES
 * is a sentence a line. */
int store_create(const char *container, const char *definition, size_t size, const StoreData *data, bool replace,
                 char **ret_notes, StoreError *error);

/* Makes the data of a run without a definition. What belongs to the run, an overlay that its start makes included, is
 * marked until store_end_run(). */
int store_begin_run(const char *container, const StoreData *data, char **ret_notes, StoreError *error);

/* Removes what belongs to a run, if there was one. */
int store_end_run(const char *container, StoreError *error);

/* Removes a definition that was made so, in two steps between which the caller makes sure that the container does not
 * run: with the first it cannot be started any more. DATA: what berth made for it, too. */
int store_withdraw(const char *container, bool data, char ret_hidden[static STORE_NAME_SIZE], StoreError *error);
int store_restore(const char *container, const char *hidden, StoreError *error);
int store_remove(const char *container, bool data, const char *hidden, StoreError *error);
