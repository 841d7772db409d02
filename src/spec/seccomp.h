/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sources of a system call filter: a text that says what to filter, and the profiles that it extends.
 * Who wants a filter reads them here into a bundle, names it by its content, and has it compiled by a
 * program that needs no rights, because all that it reads is the bundle. The syntax is in berth.seccomp(5);
 * here only "extends" is understood.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "basic/sha256.h"
#include "spec/load.h"
#include "spec/problems.h"

#define SECCOMP_PROGRAM "berth-seccomp"
#define SECCOMP_DEFAULT "default" /* Seccomp= */
#define SECCOMP_OFF "off"
#define SECCOMP_PRIVILEGED "privileged" /* what default is without a user namespace */
#define SECCOMP_NESTING "nesting"       /* what Nesting= adds to it */
#define SECCOMP_SUFFIX ".seccomp"
#define SECCOMP_CACHE "/var/cache/berth/seccomp" /* a file for each program that was ever needed, by its name */
/* Of a unit's launch/ cgroup: the name of the program that the container runs with, or SECCOMP_OFF. */
#define SECCOMP_ATTRIBUTE "user.berth.seccomp"
#define SECCOMP_FORMAT "1" /* of what the compiler makes of a bundle: part of a program's name */

typedef struct SeccompSource {
        char *name;  /* by which it is extended */
        char *label; /* for messages: a path */
        char *text;
        size_t size;
} SeccompSource;

/* The first source is what is compiled. */
typedef struct SeccompBundle {
        SeccompSource *sources;
        size_t n;
        size_t size; /* of all texts */
} SeccompBundle;

#define SECCOMP_BUNDLE_NULL ((SeccompBundle){})

void seccomp_bundle_clear(SeccompBundle *bundle);

/* A profile's name: letters, digits and dashes, of which a letter is the first. */
bool seccomp_name_is_valid(const char *name);

/* The name in a line "extends NAME", as a part of it; NULL if it is another line. */
const char *seccomp_line_extends(const char *line, size_t size, size_t *ret_size);

const SeccompSource *seccomp_bundle_find(const SeccompBundle *bundle, const char *name, size_t size);

/* Begins with what a definition says, as a profile that extends others; it has a filter (definition_seccomp()). */
int seccomp_bundle_begin(SeccompBundle *bundle, const Definition *definition);

/* Adds a text, which the bundle owns from then on, also when this fails. -EFBIG and -E2BIG when it is too
 * large. */
int seccomp_bundle_add_take(
                SeccompBundle *bundle, const char *name, const char *label, char *text, size_t size);

/* Reads what the texts extend, and what those extend, from the first of the directories that has it. With
 * sources, a file that not root alone can write is refused. What is wrong goes to the problems: 0, -EBADMSG,
 * or another negative errno. */
int seccomp_bundle_complete(
                SeccompBundle *bundle,
                const char *const *directories,
                const DefinitionSources *sources,
                Problems *problems);

/* /etc and /run, below each berth/seccomp, and where berth installs its own; NULL at the end. */
extern const char *const seccomp_directories[];

/* All of it in one piece, and back; -EBADMSG for what is none. */
int seccomp_bundle_print(const SeccompBundle *bundle, char **ret, size_t *ret_size);
int seccomp_bundle_parse(const char *data, size_t size, SeccompBundle *ret);

/* The name of the program that a printed bundle makes, with this version of berth on this architecture. */
void seccomp_bundle_name(const char *printed, size_t size, char ret[static SHA256_TEXT_SIZE]);
