/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The grammar of definition files, that of systemd's unit files: sections, assignments, comments, lines
 * continued by a backslash at their end. It is stricter where leniency hides mistakes: a line that is none
 * of these is an error. Works on memory and knows no key.
 */
#pragma once

#include <stddef.h>

#include "spec/problems.h"

typedef struct IniHandler {
        void *userdata;

        /* "[Name]" at LINE. 0, or a negative errno to stop. */
        int (*section)(void *userdata, const char *name, unsigned line);

        /* "key=value", both without white space around them. Not called before the first section. */
        int (*assignment)(void *userdata, const char *key, const char *value, unsigned line);
} IniHandler;

/* Reads TEXT and calls the handler for what it finds, in order. What is not understood goes to PROBLEMS with
 * FILE. 0, or the handler's negative errno, or -ENOMEM. */
int ini_parse(const char *file, const char *text, size_t size, const IniHandler *handler,
              Problems *problems);
