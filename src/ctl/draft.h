/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The text of a definition in the making: what a file says, and behind it what the command line adds. Checked as the
 * service will, so that what is wrong is told by the file's own lines and nothing is asked of anybody in vain. All
 * return an ExitStatus and have said what is wrong.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct Draft {
        char *text;         /* ends with a NUL */
        size_t size;        /* without it */
        const char *label;  /* what the file is called in messages */
        char section[32];   /* that the text is in at its end; "": it is not known */
        char **entry_keys;  /* of a section that may come more than once, which is in the making */
} Draft;

#define DRAFT_EMPTY { .label = "the command line" }

void draft_clear(Draft *draft);

/* Reads a file, "-" for standard input, into an empty draft. */
int draft_read(Draft *draft, const char *path);

/* Adds one key of a section. */
int draft_set(Draft *draft, const char *section, const char *key, const char *value);

/* Adds "KEY=VALUE", in the first section that has such a key, or "SECTION.KEY=VALUE". A key of [Mount] that comes
 * again begins the next mount. */
int draft_assign(Draft *draft, const char *assignment);

/* Adds Command= with these words, quoted as they have to be. */
int draft_set_command(Draft *draft, char *const *words);

/* Whether it can be the definition of a container that is made over D-Bus. */
int draft_check(const Draft *draft, const char *name);
