/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Takes an archive: tar in all its variants. Its user and group names mean nothing here, the numbers do.
 */
#pragma once

#include "unpack/writer.h"

/* FD is a file or a pipe. A failure is in the report. */
int archive_unpack(Report *report, Writer *writer, int fd);
