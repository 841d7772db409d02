/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container and a run may come to have the same name: only one of their units may be up. */
#pragma once

#include "spec/unit.h"

/* The unit of the other kind that has this container's name, if it is up, on its way there or not all gone yet: 1 and
 * its name, else 0. It is seen by the link that systemd keeps of each such unit, without asking systemd, whose answer
 * a start would have to wait for; where there are no such links, all seem to be down. */
int unit_find_rival(UnitKind kind, const char *container, char ret_unit[static UNIT_NAME_SIZE]);
