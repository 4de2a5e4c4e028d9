/* SPDX-License-Identifier: Apache-2.0 */
/* Axes of a chart: values to places, and where ticks stand.
 * Units: places in the picture's own coordinates. Threads: pure. */
#ifndef DRAW_SCALE_H
#define DRAW_SCALE_H

#include "server/draw/draw_svg.h"

#define DRAW_WIDTH 720.0
#define DRAW_TICKS_MAX 16

struct draw_scale {
    bool log;
    double low, high; /* of the values, as logarithms if log */
    double from, to;  /* of the picture */
};

/* low and high from the axis or, where it says none, from the chart's points. */
void draw_scale_init(struct draw_scale *scale, const struct draw_svg_axis *axis,
                     const struct draw_svg_chart *chart, bool is_x);
double draw_scale_place(const struct draw_scale *scale, double value);
/* Ticks at 1, 2 or 5 times a power of ten; decades on a logarithmic axis. Returns how many. */
size_t draw_scale_ticks(const struct draw_scale *scale, double ticks[DRAW_TICKS_MAX]);

/* Opens a figure with its heading, and the picture in it, which is called so to those who do not
 * see it. table: id of the caption of the table with the figures, or NULL. */
void draw_svg_open(FILE *out, const char *title, const char *table, double height);

#endif
