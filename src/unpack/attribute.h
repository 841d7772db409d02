/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Extended attributes of members: users' own (user.*), capabilities of programs, and access control lists. Everything
 * else belongs to the system that an archive comes from, and is noted and left out.
 */
#pragma once

#include <archive_entry.h>
#include <stddef.h>

#include "basic/cleanup.h"
#include "unpack/writer.h"

typedef struct Attributes {
        Attribute *list;
        size_t n;
} Attributes;

void attributes_done(Attributes *attributes);

/* Those of an archive's member. */
int attributes_from_archive(Report *report, struct archive_entry *entry, Attributes *attributes);

/* Those of an open file; PATH is for notes. */
int attributes_from_file(Report *report, int fd, const char *path, Attributes *attributes);
