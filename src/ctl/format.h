/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Amounts for people, as systemd writes them. Each writes into the caller's buffer and returns it.
 */
#pragma once

#include <stdint.h>

#define FORMAT_SIZE 64

/* "1.5G", by 1024; UINT64_MAX, which stands for "not counted", is "-". */
const char *format_bytes(uint64_t bytes, char ret[static FORMAT_SIZE]);

/* "1 week 2 days", "3h 5min", "12s 345ms": the two greatest units. UINT64_MAX is "-". */
const char *format_span(uint64_t usec, char ret[static FORMAT_SIZE]);

/* "Sun 2026-11-22 03:25:01 UTC" in the local time zone; 0 is "-". */
const char *format_time(uint64_t realtime_usec, char ret[static FORMAT_SIZE]);
