/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Definitions from texts in a test's source, and what is said about them, as strings that the caller frees.
 */
#pragma once

#include "spec/definition.h"
#include "spec/problems.h"

/* Reads TEXT as the definition of container "test"; NULL if it is refused. Problems go to *RET_PROBLEMS as
 * the lines that a user would see, which may be NULL if nobody wants them. */
Definition *definition_from_text(const char *text, bool trusted, char **ret_problems);

char *problems_text(const Problems *problems);

/* What definition_print() writes, with or without its comments. */
char *definition_text(const Definition *definition, bool comments);
