/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hooks: programs that a definition has run at points of a container's life. What a definition says of them;
 * they are run in helper/hooks.
 */
#pragma once

#include "spec/definition.h"

/* The kind's name for programs: "pre-start". */
const char *hook_name(HookKind kind);

/* Its key: "PreStart". */
const char *hook_key(HookKind kind);

/* Are there hooks of its end? */
bool hook_any_of_stop(const Definition *definition);

void hook_list_clear(HookList *list);
