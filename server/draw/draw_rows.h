/* SPDX-License-Identifier: Apache-2.0 */
/* A picture of rows: a name, a figure and below them a bar, a point with its interval, or a step of
 * a waterfall. Text has the size of the page's text whatever the width, only bars stretch, so a
 * telephone shows the same picture as paper. To who does not see it the picture is one image with
 * a sentence; its figures stand in a table beside it, which is the caller's to write.
 *
 * Shapes: values in any one unit; NAN for a bar or interval that is not there. Ownership: borrows.
 * Errors: those of the stream, which the caller checks. Threads: one. */
#ifndef DRAW_ROWS_H
#define DRAW_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum draw_tone { DRAW_PLAIN, DRAW_GREY, DRAW_UP, DRAW_DOWN };

struct draw_row {
    const char *name;
    const char *figure; /* as it is read */
    double from, to;    /* ends of the bar, in any order; the point stands at `to` */
    double low, high;   /* of the interval */
    enum draw_tone tone;
};

struct draw_rows {
    const char *id;    /* of the picture's caption, unique in the page */
    const char *table; /* id of the caption of the table with the figures */
    const char *caption;
    const char *sentence; /* for who does not see it */
    const struct draw_row *rows;
    size_t count;
    double least, most; /* of the axis; both 0: as far as the rows go, 0 among it */
    double mark;        /* a line down through all rows; NAN: none */
    bool points;        /* estimates: a point with its interval instead of a bar */
    /* Text of an end of the axis; NULL: no axis is written. */
    void (*label)(const void *context, double value, char *text, size_t text_bytes);
    const void *context;
};

void draw_rows(FILE *out, const struct draw_rows *picture);

#endif
