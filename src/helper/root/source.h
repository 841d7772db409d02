/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Host paths that a trusted definition names: Path= and Source=. Root chose the name, but whoever owns a directory on
 * the way decides at every start what it leads to. So the way is walked step by step: a symbolic link counts only where
 * root alone could have placed it.
 */
#pragma once

#include <stdbool.h>

#include "helper/launch/failure.h"

typedef struct Source {
        int fd;
        bool directory;
        bool private; /* other users of the host cannot get there, or cannot use set-user-ID programs there */
} Source;

/* Opens the path as a location (O_PATH). The cause of a refusal names the step that was not to be trusted. */
int source_open(Failure *failure, const char *path, Source *ret);

/* A place that containers may write to with the ids that it has on disk must be private: a set-user-ID program that a
 * container's root makes there is one of the host's root. */
int source_require_private(Failure *failure, bool private, const char *instead);
