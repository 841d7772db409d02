/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From one file's text to keys of a definition, with what it includes. The part of loading that knows what a
 * file says; which files there are is load.c's business. Private to src/spec.
 */
#pragma once

#include "spec/load.h"
#include "spec/place.h"

typedef struct ReadFrame ReadFrame;

typedef struct Reader {
        const DefinitionSources *sources;
        Definition *definition;
        Problems *problems;
        bool include_always;     /* the caller's own rights are enough to include */
        size_t size;             /* of all files so far */
        const ReadFrame *frame;  /* the file that is being read, and the ones that include it */
} Reader;

/* Reads an opened file into the reader's definition. What is wrong with it goes to the reader's problems.
 * 0 or a negative errno (no memory). */
int read_place(Reader *reader, const Place *place);

/* The same with a text from memory. */
int read_text(Reader *reader, const char *label, const char *text, size_t size, bool trusted);

/* Names of the *.conf in an opened directory, sorted. What is wrong goes to the problems. */
int read_conf_names(Reader *reader, const Place *directory, char ***ret_names);
