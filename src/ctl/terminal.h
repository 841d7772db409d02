/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the terminal can do: its width, colour, UTF-8, and how many columns a text takes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef enum Color {
        COLOR_NONE,
        COLOR_BOLD,
        COLOR_GREY,
        COLOR_GREEN,
        COLOR_YELLOW,
        COLOR_RED,
        COLOR_UNDERLINE,
        _COLOR_N,
} Color;

#define WIDTH_UNLIMITED ((size_t) -1)

/* To be called before a pager takes stdout's place: what is asked about stdout is about the terminal then. */
void terminal_remember_stdout(void);

/* True if people read what goes to stdout, by a pager or not. */
bool terminal_is_stdout(void);

/* True if a question can be asked: stdin and stderr are a terminal. */
bool terminal_can_ask(void);

/* Columns of the terminal that stdout is; $COLUMNS if that is a number; WIDTH_UNLIMITED if it is none. */
size_t terminal_width(void);

/* Whether text on stdout is to be coloured: --color, $NO_COLOR, $SYSTEMD_COLORS and $TERM decide. */
bool terminal_has_color(void);

/* Whether stderr's text is. */
bool terminal_has_color_on_stderr(void);

/* Switches a colour on; COLOR_NONE switches all off. "" where there is no colour. For stdout. */
const char *color_sequence(Color color);

/* True if the locale says that the terminal understands UTF-8. */
bool terminal_has_utf8(void);

/* How many columns a valid UTF-8 text takes. What is neither valid nor printable counts as one each. */
size_t text_width(const char *text);

/* How many bytes of TEXT take at most WIDTH columns, whole characters with the marks that combine with them;
 * RET_WIDTH says how many columns these are. */
size_t text_fitting(const char *text, size_t width, size_t *ret_width);

/* Asks a question on stderr that is answered with y or n; only y is a yes. False at the end of the file too. */
bool terminal_ask(const char *question);
