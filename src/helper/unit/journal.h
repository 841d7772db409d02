/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One line in the journal, with a priority. Lines of the unit's own stream have none: what a guest prints must not be
 * taken for an emergency of the host because it starts with "<0>" (the unit's SyslogLevelPrefix=no).
 */
#pragma once

#include <syslog.h>

#include "spec/unit.h"

/* Writes the line as the unit of the container, to standard error if there is no journal. */
void journal_print(int priority, UnitKind kind, const char *name, const char *line);
