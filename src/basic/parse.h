/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers and the like from text, written as systemd's unit files write them. Every function takes the whole
 * string or refuses it with -EINVAL (not a value at all) or -ERANGE (a value, but too large or too small);
 * none skips white space, none accepts a sign that the type cannot have.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC UINT64_C(1000000)

/* 1, yes, true, on, y, t; 0, no, false, off, n, f; any case. */
int parse_boolean(const char *s, bool *ret);

/* Decimal digits only. */
int parse_u64(const char *s, uint64_t *ret);
int parse_u32(const char *s, uint32_t *ret);

/* Octal digits, at most 07777. */
int parse_mode(const char *s, mode_t *ret);

/* A number with an optional suffix B, K, M, G, T, P or E, each BASE (1000 or 1024) times the one before. */
int parse_size(const char *s, uint64_t base, uint64_t *ret);

/* A time span as in systemd.time(7), from microseconds to weeks: "50", "2min 200ms", "1.5s". */
int parse_timespan(const char *s, uint64_t *ret_usec);

/* "12.5%" with at most two decimals, in hundredths of a percent. */
int parse_permyriad(const char *s, uint64_t *ret);

/* SIGTERM, TERM, 15, SIGRTMIN+3, RTMAX-1. */
int parse_signal(const char *s, int *ret);

/* The signal's name with SIG; NULL if it has none. The buffer is for real-time signals. */
const char *signal_name(int sig, char ret_buffer[static 16]);
