/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Options of the command line, one row each: what it is called, where its value goes, what --help says. The
 * same rows read the command line and print the help.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef enum OptionKind {
        OPTION_FLAG, /* VALUE is a bool, set to true */
        OPTION_TEXT, /* VALUE is a const char *, which points into the command line; the last one wins */
        OPTION_LIST, /* VALUE is a strv, to which it is appended */
} OptionKind;

typedef struct Option {
        const char *name;     /* without the dashes */
        char letter;          /* 0: there is no short form */
        OptionKind kind;
        void *value;
        const char *argument; /* what its argument is called in the help; NULL for flags */
        bool optional;        /* the argument may be left out ("--color"), then VALUE points to "" */
        const char *help;
} Option;

/* What is left of a command line without its options. The words are the caller's argv. */
typedef struct Arguments {
        char **words; /* freed as an array only; ends with NULL */
        size_t n;
        size_t n_before; /* how many stand before a "--"; n if there is none */
} Arguments;

void arguments_clear(Arguments *arguments);

enum {
        OPTIONS_E_USAGE = 1, /* stderr says what is wrong */
};

/* Reads ARGV, which ends with NULL, by two tables that each end with a row without a name; MORE may be NULL.
 * Options may stand anywhere before a "--". WHOSE is the verb, for messages. 0, -ENOMEM or OPTIONS_E_USAGE. */
int options_read(const Option *options, const Option *more, const char *whose, char **argv, Arguments *ret);

/* Reads options up to the first word; RET_USED says how many of ARGV they are. */
int options_read_leading(const Option *options, char **argv, size_t *ret_used);

/* The rows as lines of a help text. */
void options_print(const Option *options, FILE *stream);
