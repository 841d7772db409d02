/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See table.h. Cells are kept in one array, row after row, already escaped.
 */
#include <errno.h>
#include <stdarg.h>

#include "basic/array.h"
#include "basic/string.h"
#include "ctl/table.h"

#define COLUMNS_MAX 16
#define GAP 2          /* blanks between columns */
#define SHRUNK_LEAST 4 /* columns that a shrunk one keeps */

typedef struct Cell {
        char *text;
        size_t width;
        Color color;
} Cell;

struct Table {
        const char *const *headings;
        size_t n_columns;
        bool right[COLUMNS_MAX];
        size_t shrink[COLUMNS_MAX], n_shrink;
        Cell *cells;
        size_t n_cells;
        int error;
};

Table *table_new(const char *const *headings) {
        Table *table = calloc(1, sizeof *table);

        if (!table)
                return NULL;

        table->headings = headings;
        while (headings[table->n_columns] && table->n_columns < COLUMNS_MAX)
                table->n_columns++;

        return table;
}

Table *table_free(Table *table) {
        if (!table)
                return NULL;

        for (size_t i = 0; i < table->n_cells; i++)
                free(table->cells[i].text);
        free(table->cells);
        free(table);

        return NULL;
}

void table_align_right(Table *table, size_t column) {
        table->right[column] = true;
}

void table_shrink(Table *table, size_t column) {
        table->shrink[table->n_shrink++] = column;
}

void table_cell_colored(Table *table, Color color, const char *text) {
        char *shown = string_escape_unprintable(text && *text ? text : "-");

        if (!shown || ARRAY_APPEND(table->cells, table->n_cells, (Cell) { shown, text_width(shown), color }) < 0) {
                free(shown);
                table->error = -ENOMEM;
        }
}

void table_cell(Table *table, const char *text) {
        table_cell_colored(table, COLOR_NONE, text);
}

void table_cellf(Table *table, const char *format, ...) {
        char *text = NULL;
        va_list args;
        int r;

        va_start(args, format);
        r = vasprintf(&text, format, args);
        va_end(args);
        if (r < 0)
                table->error = -ENOMEM;
        else {
                table_cell(table, text);
                free(text);
        }
}

size_t table_rows(const Table *table) {
        return table->n_cells / table->n_columns;
}

static int compare_rows(const void *a, const void *b, void *column) {
        return strcmp(((const Cell *) a)[*(size_t *) column].text, ((const Cell *) b)[*(size_t *) column].text);
}

void table_sort(Table *table, size_t column) {
        if (table->error >= 0 && table->n_cells > 0)
                qsort_r(table->cells, table_rows(table), table->n_columns * sizeof(Cell), compare_rows, &column);
}

/* Takes away from the columns that give way until all fit, as far as that goes. */
static void shrink(const Table *table, size_t *widths, size_t available) {
        size_t total = GAP * (table->n_columns - 1);

        for (size_t c = 0; c < table->n_columns; c++)
                total += widths[c];

        for (size_t i = table->n_shrink; i > 0 && total > available; i--) {
                size_t *width = widths + table->shrink[i - 1], excess = total - available, spare;

                spare = *width > SHRUNK_LEAST ? *width - SHRUNK_LEAST : 0;
                if (excess > spare)
                        excess = spare;
                *width -= excess;
                total -= excess;
        }
}

/* Prints a text in so many columns; a blank is left out at a line's end. */
static void print_cell(
                FILE *stream,
                const char *text,
                size_t width,
                size_t columns,
                Color color,
                bool right,
                bool last) {
        const char *ellipsis = terminal_has_utf8() ? "\u2026" : ".";
        size_t size = strlen(text);
        bool cut = width > columns;

        if (cut)
                size = text_fitting(text, columns - 1, &width);
        if (cut)
                width++;

        if (right)
                fprintf(stream, "%*s", (int) (columns - width), "");
        if (color != COLOR_NONE)
                fputs(color_sequence(color), stream);
        fwrite(text, 1, size, stream);
        if (cut)
                fputs(ellipsis, stream);
        if (color != COLOR_NONE)
                fputs(color_sequence(COLOR_NONE), stream);
        if (!last)
                fprintf(stream, "%*s", (int) (GAP + (right ? 0 : columns - width)), "");
}

int table_print(const Table *table, FILE *stream, bool legend, size_t width) {
        size_t widths[COLUMNS_MAX] = { 0 };

        if (table->error < 0)
                return table->error;

        for (size_t c = 0; c < table->n_columns; c++)
                widths[c] = legend ? text_width(table->headings[c]) : 0;
        for (size_t i = 0; i < table->n_cells; i++)
                if (table->cells[i].width > widths[i % table->n_columns])
                        widths[i % table->n_columns] = table->cells[i].width;
        shrink(table, widths, width);

        for (size_t c = 0; legend && c < table->n_columns; c++)
                print_cell(stream, table->headings[c], text_width(table->headings[c]), widths[c],
                           terminal_has_color() ? COLOR_UNDERLINE : COLOR_NONE, table->right[c],
                           c + 1 == table->n_columns);
        if (legend)
                fputc('\n', stream);

        for (size_t i = 0; i < table_rows(table) * table->n_columns; i++) {
                size_t c = i % table->n_columns;
                bool last = c + 1 == table->n_columns;

                print_cell(stream, table->cells[i].text, table->cells[i].width, widths[c], table->cells[i].color,
                           table->right[c], last);
                if (last)
                        fputc('\n', stream);
        }

        return ferror(stream) ? -EIO : 0;
}
