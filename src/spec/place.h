/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opening definition files such that it is known who could have written them. A file is trusted if it is a
 * regular file that only root can write, and every directory from it up to the root is root's alone as well.
 * A symbolic link is followed only where nobody but root could have placed it: elsewhere it might make root
 * read a file for somebody who cannot. What is told about a file is told of the opened descriptor.
 *
 * "Root" is the trusted uid of the sources, so that the rule can be tested without being root.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "basic/cleanup.h"
#include "spec/load.h"

/* Positive results of opening. */
typedef enum PlaceError {
        _PLACE_E_SUCCESS,
        PLACE_E_MASKED,  /* a link to /dev/null */
        PLACE_E_LINK,    /* a symbolic link in a place that is not root's alone */
        PLACE_E_KIND,    /* neither a regular file nor, where that is possible, a directory */
} PlaceError;

/* A file or directory that was opened for reading. */
typedef struct Place {
        int fd;
        bool directory;
        bool trusted;
        bool pending;    /* a directory: whether it is trusted is looked at when something is found in it */
        char *path;      /* absolute and without links */
        char *reason;    /* if it is not trusted: a clause that says why */
        dev_t device;
        ino_t inode;
        size_t size;     /* of a file */
} Place;

#define PLACE_EMPTY { .fd = -EBADF }

void place_clear(Place *place);

/* Opens a directory or file by its absolute path (it may have "." and ".." in it), following links by the
 * rule above. TRUSTED is what is to be begun with: false keeps it untrusted without a look at owners. 0, a
 * PlaceError or a negative errno. */
int place_open(const DefinitionSources *sources, const char *path, bool trusted, Place *ret);

/* The same for a directory, in which often nothing is found: it is judged when something is. */
int place_open_directory(const DefinitionSources *sources, const char *path, bool trusted, Place *ret);

/* Opens NAME, which has no slash, in the opened DIRECTORY. */
int place_open_in(const DefinitionSources *sources, Place *directory, const char *name, Place *ret);

/* A sentence for a PlaceError or a negative errno of these functions. */
const char *place_error_text(int error);
