/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Copies a directory tree that somebody may be changing meanwhile: everything is opened without following links and
 * looked at again once it is open.
 */
#pragma once

#include <stdbool.h>

#include "unpack/writer.h"

/* FD is the top directory. ONE: only the files of the tree's owner, who is root here, count. A failure is in the
 * report. */
int tree_copy(Report *report, Writer *writer, int fd, bool one);
