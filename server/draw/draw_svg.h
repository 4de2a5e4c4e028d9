/* SPDX-License-Identifier: Apache-2.0 */
/* Charts as SVG text inside an HTML page: lines over linear or logarithmic axes, and bars with
 * intervals. Colours come from the page's style sheet (classes s0 … s7), so that light and dark
 * pages both work; no scripts. Ownership: borrows; writes to a stream whose errors the caller
 * checks. Threads: one. */
#ifndef DRAW_SVG_H
#define DRAW_SVG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define DRAW_SVG_SERIES_MAX 8
#define DRAW_SVG_COLOURS 4

struct draw_svg_series {
    const char *name;
    const double *x, *y; /* count of each; x ascending */
    size_t count;
    bool dots;           /* points joined by nothing */
    const double *below; /* the other edge of a band from y down to it; NULL: a line. The axis must
                            say from where to where it goes */
};

struct draw_svg_axis {
    const char *title;
    bool log;
    double low, high; /* both 0: from the data */
    /* Text of a tick; NULL: the number. */
    void (*label)(double value, char *text, size_t text_bytes);
};

struct draw_svg_chart {
    const char *title;
    const char *table; /* id of the caption of the table with the figures; NULL: there is none */
    struct draw_svg_axis x, y;
    const struct draw_svg_series *series;
    size_t series_count;
};

void draw_svg_lines(FILE *out, const struct draw_svg_chart *chart);

struct draw_svg_bar {
    const char *name;
    double value, low, high; /* low to high is drawn as a whisker */
    double mark;             /* a target, drawn as a line across; 0: none */
    int tone;                /* 0 … 7, a series colour */
};
/* Horizontal bars from 0; unit is written behind each value. */
void draw_svg_bars(FILE *out, const char *title, const char *unit, const struct draw_svg_bar *bars,
                   size_t count);

#define DRAW_SVG_PARTS_MAX 8
struct draw_svg_stack {
    const char *name;
    double parts[DRAW_SVG_PARTS_MAX];
};
/* Horizontal bars made of the same parts, in the same order and colours, with a legend. */
void draw_svg_stacks(FILE *out, const char *title, const char *unit, const char *const *names,
                     size_t parts, const struct draw_svg_stack *stacks, size_t count);

#endif
