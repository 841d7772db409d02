/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What verbs that read definitions share: names, telling problems, and the exit status that a failure to
 * load means.
 */
#pragma once

#include "ctl/options.h"
#include "spec/load.h"

/* Prints what is wrong and returns the exit status for R, the result of loading a definition. */
int report_problems(int r, const Problems *problems);

/* The same for one that is to be used: if it could be loaded, it is judged whether it asks for more than it
 * may. */
int report_definition(int r, const Definition *definition, Problems *problems);

/* Says that a word cannot be a container's name: STATUS_USAGE. */
int report_name(const char *word);

/* Says "berthctl: WHAT: cause" for a negative errno on stderr; STATUS_NOT_PERMITTED for missing rights, else
 * STATUS_FAILED. */
int report_errno(int r, const char *what);

/* The words as names, patterns among EXISTING; an exit status as for defined_names(). */
int expand_names(char *const *words, size_t n, char *const *existing, char ***ret_names);

/* The words as names, patterns among the containers that have a definition on this host; freed with strv_free(). An
 * exit status; when it is not STATUS_FINE, stderr says why. */
int defined_names(const Arguments *arguments, char ***ret_names);
