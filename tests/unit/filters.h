/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Filters in tests: made of texts, and run as the kernel runs them.
 */
#pragma once

#include <errno.h>
#include <linux/seccomp.h>
#include <stdint.h>

#include "seccomp/filter.h"

#define X86_FAMILY (1U << CALLS_X86_64 | 1U << CALLS_X86 | 1U << CALLS_X32)
#define ARM_FAMILY (1U << CALLS_ARM64 | 1U << CALLS_ARM)
#define ALLOW SECCOMP_RET_ALLOW
#define ERROR(error) (SECCOMP_RET_ERRNO | (uint32_t) (error))

/* The kernel's interpreter, as far as filters use it. ARGUMENTS are six, or NULL for zeros. */
uint32_t filter_run(const Filter *filter, uint32_t architecture, uint32_t number, const uint64_t *arguments);

/* *RET_MESSAGE, which the caller frees, is the first thing that is wrong, or NULL. */
int filter_of_bundle(SeccompBundle *bundle, unsigned architectures, Filter *ret, char **ret_message);
int filter_try(const char *text, unsigned architectures, Filter *ret, char **ret_message);

/* For x86-64 and its companions; the test ends if it cannot be made. */
Filter filter_of(const char *text);

uint32_t call_of(const char *call, uint32_t token);

/* What the filter says to a call of x86-64, or of x86, with these first three arguments. */
uint32_t filter_ask(const Filter *filter, const char *call, uint64_t a, uint64_t b, uint64_t c);
uint32_t filter_ask_x86(const Filter *filter, const char *call, uint64_t a, uint64_t b, uint64_t c);
