/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berth's store on the host: rooms (directories) with an entry for each container, made and removed by name beneath
 * descriptors. An entry gets its name when it is whole, and loses it, by a rename into the trash, before it is deleted.
 *
 * What is not finished is called ".NAME.KIND-XXXXXXXX" in its room. Besides, a definition's or run's staged file in
 * ROOM_DEFINITIONS says what was going on when the helper was killed:
 *
 *   new    a definition that takes nothing with it
 *   make   a definition whose data is being made: data that is there without it belongs to it
 *   run    a run without a definition: its data goes with it
 *   remove a definition that is being removed with its data: what is there of it goes, too, unless it is in use
 *
 * The helper's operations on one container come one after the other, and each begins with store_sweep().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "basic/macro.h"
#include "spec/helper-interface.h"
#include "spec/limits.h"

typedef enum StoreRoom {
        ROOM_DEFINITIONS, /* NAME.container */
        ROOM_ROOTS,       /* NAME */
        ROOM_IMAGES,      /* NAME.raw */
        ROOM_OVERLAYS,    /* NAME */
        ROOM_TRASH,
        _ROOM_N,
} StoreRoom;

typedef enum StagedKind {
        STAGED_NEW,
        STAGED_MAKE,
        STAGED_RUN,
        STAGED_REMOVE,
        _STAGED_N,
} StagedKind;

#define STORE_NAME_SIZE (NAME_MAX_LENGTH + 32)

typedef struct Store {
        int rooms[_ROOM_N];
} Store;

#define STORE_NULL ((Store) { .rooms = { -EBADF, -EBADF, -EBADF, -EBADF, -EBADF } })

/* How an operation on the store fails: a name of spec/helper-interface.h or of D-Bus, and the sentence. */
typedef struct StoreError {
        const char *name; /* static */
        char sentence[2304];
} StoreError;

/* Fills it and returns -EREMOTEIO, which stands for "told". */
int store_fail(StoreError *error, const char *name, const char *format, ...) _printf_(3, 4);

/* The same for a system call: "WORDS: TEXT OF ERRNO"; a full disk is a limit. */
int store_fail_errno(StoreError *error, int number, const char *format, ...) _printf_(3, 4);

/* Opens the rooms; those that are missing are made. */
int store_open(StoreError *error, Store *ret);
void store_done(Store *store);

const char *store_room_path(StoreRoom room);

/* What a container's entry is called. */
void store_entry(StoreRoom room, const char *container, char ret[static STORE_NAME_SIZE]);

/* 1 if it is there, 0 or a negative errno. */
int store_has(const Store *store, StoreRoom room, const char *container);

/* 1 if there is a definition, of ours or a file that root wrote since: the data is that container's now. 0
 * or a negative errno. */
int store_is_defined(const Store *store, const char *container);

/* A new name for something staged, and what such a name says. -EINVAL: it is none. */
int store_stage(const char *container, StagedKind kind, char ret[static STORE_NAME_SIZE]);
int store_stage_parse(const char *name, char ret_container[static NAME_MAX_LENGTH + 1], StagedKind *ret_kind);

/* Gives what was staged its name; -EEXIST when there is one. */
int store_commit(const Store *store, StoreRoom room, const char *staged, const char *container);

/* Moves an entry, or what was staged, to the trash; nothing there is no error. RET_NAME is what it is called there,
 * empty if there was nothing. Where the trash is on another file system there is one in the room. */
int store_throw(const Store *store, StoreRoom room, const char *entry, const char *container,
                char ret_name[static STORE_NAME_SIZE]);

/* Moves a container's data to the trash. -EWOULDBLOCK: something of it is in use, and nothing was moved. */
int store_discard_data(const Store *store, const char *container);

/* Deletes what lies in the trash. */
int store_empty_trash(const Store *store);

/* Puts away what a helper left that was killed, of one container or (NULL) of all: quick, nothing is deleted yet. */
int store_sweep(const Store *store, const char *container);
