/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tables for people: a heading, columns as wide as what stands in them, cut with an ellipsis where the terminal is
 * too narrow. Cells may hold anything: what could steer a terminal is escaped. The table copies what it is given.
 * Running out of memory while it is filled is remembered and told by table_print().
 */
#pragma once

#include <stdio.h>

#include "basic/cleanup.h"
#include "ctl/terminal.h"

typedef struct Table Table;

/* A table with these headings, at most 16, ending with NULL; they have to outlive it. NULL: out of memory. */
Table *table_new(const char *const *headings);
Table *table_free(Table *table);
DEFINE_CLEANUP(Table *, table_free)

/* Numbers stand at the right. */
void table_align_right(Table *table, size_t column);

/* Columns that give way when the terminal is too narrow: the last one added gives first. By default none does. */
void table_shrink(Table *table, size_t column);

/* The next cell of the row, and with the last one the row ends. NULL and "" are shown as "-". */
void table_cell(Table *table, const char *text);
void table_cell_colored(Table *table, Color color, const char *text);
void table_cellf(Table *table, const char *format, ...) _printf_(2, 3);

/* Orders the rows by the text in a column. */
void table_sort(Table *table, size_t column);

size_t table_rows(const Table *table);

/* Prints it, without headings if LEGEND is false. WIDTH is terminal_width() but for tests. 0, -ENOMEM or -EIO. */
int table_print(const Table *table, FILE *stream, bool legend, size_t width);
