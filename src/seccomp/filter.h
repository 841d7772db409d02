/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a profile to the program that the kernel runs at each call: a look at the architecture (an unknown
 * one kills), a binary search for the call among ranges of calls with the same fate, and for calls with
 * conditions these, the last rule first.
 *
 * libseccomp knows which number a call has where. Its own rules are a set: they cannot say "the last one
 * that fits counts", nor two comparisons with one argument, nor what is to happen when no condition of a
 * call fits; and it takes eight times as long. So the program is written here; a test compares both where
 * libseccomp can say the same.
 */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>

#include "seccomp/profile.h"

typedef struct Filter {
        struct sock_filter *instructions;
        size_t n;
} Filter;

#define FILTER_NULL ((Filter){})

void filter_clear(Filter *filter);

/* The architectures that a kernel for this machine runs programs of; none is berth's to filter for: 0. */
unsigned filter_architectures(void);

/* Compiles for these architectures, which have to be of one family. 0; -EBADMSG when something is wrong,
 * which the problems tell; -ENOMEM. */
int filter_compile(const Profile *profile, unsigned architectures, Filter *ret, Problems *problems);

/* The number of a call: 0, -ENOENT if no such call is known anywhere, -ENXIO if this architecture has none.
 */
int call_number(const Profile *profile, const char *name, CallArchitecture architecture, uint32_t *ret);
