/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From files to a definition: finds NAME.container and its drop-ins, reads them in order with what they
 * include, checks the result. A definition comes back whole and checked, or not at all.
 *
 * Where a file lies decides whether it is trusted (see place.h); the definition is trusted when all of its
 * files are. What lies in a place that is never trusted concerns no definition but those in such a place, and
 * is read before what is trusted: it can neither mask, replace nor overrule it. What an untrusted definition
 * may not ask for is policy.h's business, at every start.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "spec/definition.h"
#include "spec/problems.h"

typedef struct DefinitionDirectory {
        const char *path; /* absolute, normalised */
        bool trusted;     /* its files are trusted if they are root's alone */
} DefinitionDirectory;

typedef struct DefinitionSources {
        const DefinitionDirectory *directories; /* at most 8; the first that has a file wins */
        size_t n_directories;
        uid_t trusted_uid;  /* 0; tests that do not run as root have their own */
        const char *anchor; /* directories above this one are not looked at; NULL: all are. For tests */
} DefinitionSources;

/* /etc, /run, /usr/lib (trusted) and /var/lib (never), below each berth/containers. */
const DefinitionSources *definition_sources_host(void);

/* Positive results; in each case PROBLEMS says at least one sentence about it. */
typedef enum DefinitionError {
        _DEFINITION_E_SUCCESS,
        DEFINITION_E_NAME,      /* NAME cannot be a container's name */
        DEFINITION_E_NOT_FOUND, /* there is no NAME.container */
        DEFINITION_E_MASKED,    /* it is a link to /dev/null */
        DEFINITION_E_INVALID,   /* it cannot be read, or says what is not understood or makes no sense */
} DefinitionError;

/* The definition of container NAME. 0, a DefinitionError, or -ENOMEM and the like. */
int definition_load(const DefinitionSources *sources, const char *name, Definition **ret,
                    Problems *problems);

/* One file on its own, wherever it lies, without drop-ins; trusted if it would be where it lies. Meant for
 * checking: files that it includes are read with the rights of the caller, whoever wrote the file. The
 * container's name is the file's as far as it can be one. */
int definition_load_file(const DefinitionSources *sources, const char *path, Definition **ret,
                         Problems *problems);

/* From memory, as somebody sent it; LABEL stands for the file in messages. Includes are refused. */
int definition_load_text(
                const char *name,
                const char *label,
                const char *text,
                size_t size,
                bool trusted,
                Definition **ret,
                Problems *problems);

/* The names of all containers that have a definition which is not masked, sorted; they need not be valid
 * definitions. Freed with strv_free(). 0, DEFINITION_E_INVALID when a directory cannot be read (RET_NAMES is
 * what the others have then, and PROBLEMS says which), or negative errno. */
int definition_list(const DefinitionSources *sources, char ***ret_names, Problems *problems);
