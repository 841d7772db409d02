/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which containers have a definition, kept up to date: the directories of definitions and of drop-ins are
 * watched, so that a file edited by hand is seen. What a definition says is read when somebody asks for it,
 * and not kept.
 */
#pragma once

#include "manager/manager.h"

/* Looks for definitions and begins to watch. 0 or negative errno. */
int definitions_new(Manager *manager, Definitions **ret);

Definitions *definitions_free(Definitions *definitions);
DEFINE_CLEANUP(Definitions *, definitions_free)

/* Looks again now: what was changed a moment ago is known afterwards. 0 or negative errno. */
int definitions_refresh(Definitions *definitions);

/* Looks again if a container that is not known has a definition by now: somebody who has just written it is answered
 * before the watch tells. Costs a look at four places when there is none. 0 or negative errno. */
int definitions_look_for(Definitions *definitions, const char *container);

/* The text that the property Definition has. 0, or a DefinitionError: then RET_TEXT is what is wrong; or
 * negative errno. */
int definition_text(const char *container, char **ret_text);

/* Whether a text that somebody sent could be a container's definition, as one that is not trusted. 0, a
 * DefinitionError, -EPERM if policy forbids it, or negative errno. RET_PROBLEM says what is wrong; the
 * caller frees it. */
int definition_check_text(const char *container, const char *text, char **ret_problem);
