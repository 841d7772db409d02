/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Carries bytes between a person, or a pipe, and a container's console, until one of them has enough: the
 * console ends, the escape is typed, or a signal asks for the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ESCAPE_CHARACTER 0x1D /* ^] */
#define ESCAPE_TIMES 3
#define ESCAPE_USEC UINT64_C(1000000)

/* When the last escape characters were typed; {0} at first. */
typedef struct Escape {
        unsigned n;
        uint64_t first_usec;
} Escape;

/* True if with these bytes, typed at that moment of CLOCK_MONOTONIC, the escape is complete: three times in
 * a row within a second. What was typed before counts. */
bool escape_typed(Escape *escape, const char *bytes, size_t n, uint64_t now_usec);

typedef enum RelayEnd {
        RELAY_HANGUP,  /* the console, or the output, has ended */
        RELAY_ESCAPED, /* the user left */
        RELAY_SIGNAL,  /* the descriptor of signals has become readable; it is not read */
} RelayEnd;

/* Relays between the descriptors INPUT and OUTPUT, and the socket CONSOLE, until SIGNALS can be read. When
 * the input ends, output goes on. With ESCAPES, the escape is looked for in the input. 0, or a negative
 * errno. */
int relay(int input, int output, int console, int signals, bool escapes, RelayEnd *ret_end);
