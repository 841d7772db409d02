/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A scratch directory with places for definitions in it: "etc", "run" and "lib" are trusted places, "var" is
 * not, "other" is none. It is the anchor of its sources: what is above it is not looked at.
 */
#pragma once

#include <sys/types.h>

#include "spec/load.h"

typedef struct Tree {
        char *path;
        DefinitionDirectory directories[4];
        DefinitionSources sources;
} Tree;

/* Makes one, or ends the program. */
Tree *tree_new(void);

/* Removes it with all that is in it. */
Tree *tree_free(Tree *tree);
DEFINE_CLEANUP(Tree *, tree_free)

/* The absolute path of NAME in it, in one of a few buffers that take turns. */
const char *tree_path(const Tree *tree, const char *name);

/* Writes a file, with the directories above it. In TEXT, "@" at the start of a word stands for the tree. */
void tree_write(const Tree *tree, const char *name, const char *text);

/* A file of SIZE bytes C. */
void tree_fill(const Tree *tree, const char *name, char c, size_t size);

/* A symbolic link; an absolute TARGET that begins with "@" is below the tree. */
void tree_link(const Tree *tree, const char *name, const char *target);

void tree_mode(const Tree *tree, const char *name, mode_t mode);

/* Loads container NAME. The problems as text go to *RET_PROBLEMS. */
Definition *tree_load(const Tree *tree, const char *name, int expected, char **ret_problems);
