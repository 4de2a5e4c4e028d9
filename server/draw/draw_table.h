/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of a page: a caption, headings, and rows of cells of which the first is the row's heading.
 * Wide ones are scrolled by themselves, not with the page, and by the keyboard too.
 *
 * Cells are written left to right; a row begins and ends by itself. Ownership: borrows the columns
 * until the table is closed. Errors: those of the stream, which the caller checks. Threads: one. */
#ifndef DRAW_TABLE_H
#define DRAW_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Shades of a cell, from 0 (none) to the strongest; text is readable on each. */
#define DRAW_SHADES 8

enum draw_kind {
    DRAW_TEXT,   /* broken over lines where it must be */
    DRAW_DAY,    /* never broken */
    DRAW_FIGURE, /* never broken, set to the right */
};

struct draw_column {
    const char *name;
    enum draw_kind kind;
};

struct draw_table {
    FILE *out;
    const struct draw_column *columns;
    size_t count;
    size_t at; /* of the next cell in its row */
};

/* The caption is what the table is called; the id is unique in the page. */
void draw_table_open(struct draw_table *table, FILE *out, const char *id, const char *caption,
                     const struct draw_column *columns, size_t count);
void draw_table_cell(struct draw_table *table, const char *text);
/* The same in a class of the style sheet: good, bad, dim, total, or on a shade. */
void draw_table_cell_of(struct draw_table *table, const char *class_name, const char *text);
void draw_table_shaded(struct draw_table *table, unsigned shade, const char *text);
/* Nothing there. */
void draw_table_gap(struct draw_table *table);
void draw_table_close(struct draw_table *table);

#endif
