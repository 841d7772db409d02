/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What create and run share: the options that say where a container's root comes from, opening it with the caller's
 * rights, and telling how far its making is.
 */
#pragma once

#include "client/include/berth.h"
#include "ctl/draft.h"
#include "ctl/progress.h"

/* From the command line; NULL: not given. */
typedef struct Origins {
        const char *definition;
        const char *directory, *tar, *image;
} Origins;

/* What is handed over with a definition. */
typedef struct Data {
        berth_descriptor descriptor; /* its descriptor is negative if there is none */
} Data;

#define DATA_NONE { { NULL, -EBADF } }

void data_clear(Data *data);

/* Opens what the options name, under DIRECTORY_NAME if it is a directory. An ExitStatus. */
int data_open(const Origins *origins, const char *directory_name, Data *ret);

/* Shows how far the making of a container is: the userdata and handler of berth_set_event_handler(). */
typedef struct Making {
        const char *name;
        Progress progress;
} Making;

void making_event(const berth_event *event, void *making);
