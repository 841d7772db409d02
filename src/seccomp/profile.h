/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What profiles say, as a list of rules: groups are gone (each rule is about one call), "extends" is
 * followed. Of the rules that fit a call, the last one counts. Which calls an architecture has is not known
 * here.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "basic/cleanup.h"
#include "spec/problems.h"
#include "spec/seccomp.h"

typedef enum CallArchitecture {
        CALLS_X86_64,
        CALLS_X86,
        CALLS_X32,
        CALLS_ARM64,
        CALLS_ARM,
        _CALL_ARCHITECTURE_N,
} CallArchitecture;

#define CALL_ARCHITECTURES_ALL ((1U << _CALL_ARCHITECTURE_N) - 1)
#define CALL_ARGUMENTS 6

extern const char *const call_architecture_names[_CALL_ARCHITECTURE_N];

typedef enum CompareOperator {
        COMPARE_EQUAL,
        COMPARE_UNEQUAL,
        COMPARE_LESS,
        COMPARE_LESS_OR_EQUAL,
        COMPARE_GREATER,
        COMPARE_GREATER_OR_EQUAL,
} CompareOperator;

/* (argument & mask) OPERATOR value, all of 64 bits and without a sign; the mask is full unless for
 * (un)equal. */
typedef struct Comparison {
        unsigned argument;
        CompareOperator operator;
        uint64_t mask, value;
} Comparison;

typedef struct Rule {
        char *call;
        uint32_t action;        /* SECCOMP_RET_... with its data */
        unsigned architectures; /* a bit for each CallArchitecture */
        size_t first, n;        /* its comparisons, all of which have to be true */
        const SeccompSource *source;
        unsigned line;
} Rule;

typedef struct CallGroup {
        char *name; /* without "@" */
        char **calls;
} CallGroup;

/* A call that is younger than libseccomp; all architectures have given one number to new calls since
 * Linux 5.1. */
typedef struct NumberedCall {
        char *name;
        uint32_t number;
} NumberedCall;

typedef struct Profile {
        uint32_t defaults[_CALL_ARCHITECTURE_N]; /* for calls that no rule fits */
        Rule *rules;
        size_t n_rules;
        Comparison *comparisons;
        size_t n_comparisons;
        CallGroup *groups;
        size_t n_groups;
        NumberedCall *numbers;
        size_t n_numbers;
} Profile;

Profile *profile_free(Profile *profile);
DEFINE_CLEANUP(Profile *, profile_free)

/* Reads a complete bundle, which has to stay as long as the profile. 0; -EBADMSG when something is wrong,
 * which the problems tell; -ENOMEM. */
int profile_parse(const SeccompBundle *bundle, Profile **ret, Problems *problems);

/* Numbers that have a name: constants of system calls' arguments, and errors. -ENOENT for others. */
int constant_find(const char *name, uint64_t *ret);
int error_find(const char *name, uint32_t *ret);

/* Reads "COMPARISON [and COMPARISON ...]" from words; *RET_TEXT says what is wrong when it is -EINVAL. */
int condition_parse(
                char *const *words,
                Comparison ret[static CALL_ARGUMENTS],
                size_t *ret_n,
                const char **ret_text);
