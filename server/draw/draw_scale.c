/* SPDX-License-Identifier: Apache-2.0 */
/* A value's place in a picture: as a share of its axis, which is linear or of decades; what lies
 * beyond the axis is drawn at its end. Without a value an axis goes from 1 to 10. And how a picture
 * begins, whatever is drawn in it. */
#include "server/draw/draw_scale.h"

#include <math.h>

#include "server/draw/draw_page.h"

void draw_svg_open(FILE *out, const char *title, const char *table, double height)
{
    fputs("<figure", out);
    if (table != NULL) {
        fprintf(out, " aria-details=\"%s\"", table);
    }
    fputs("><h3>", out);
    draw_text(out, title);
    fputs("</h3>\n<svg role=\"img\" aria-label=\"", out);
    draw_text(out, title);
    fprintf(out, "\" viewBox=\"0 0 %.0f %.0f\">", DRAW_WIDTH, height);
}

double draw_scale_place(const struct draw_scale *scale, double value)
{
    double at = scale->log ? log10(value > 0 ? value : 1e-12) : value;
    double share = (at - scale->low) / (scale->high - scale->low);
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    return scale->from + share * (scale->to - scale->from);
}

void draw_scale_init(struct draw_scale *scale, const struct draw_svg_axis *axis,
                     const struct draw_svg_chart *chart, bool is_x)
{
    double low = HUGE_VAL;
    double high = -HUGE_VAL;
    for (size_t s = 0; s < chart->series_count; s++) {
        for (size_t i = 0; i < chart->series[s].count; i++) {
            double value = is_x ? chart->series[s].x[i] : chart->series[s].y[i];
            if (axis->log && value <= 0) {
                continue;
            }
            low = value < low ? value : low;
            high = value > high ? value : high;
        }
    }
    if (axis->low != 0 || axis->high != 0) {
        low = axis->low;
        high = axis->high;
    }
    if (!(low <= high)) {
        low = 1;
        high = 10;
    }
    scale->log = axis->log;
    scale->low = axis->log ? floor(log10(low) * 4) / 4 : low > 0 ? 0 : low;
    scale->high = axis->log ? ceil(log10(high) * 4) / 4 : high * 1.05;
    if (scale->high <= scale->low) {
        scale->high = scale->low + 1;
    }
}

/* Ticks at 1, 2 or 5 times a power of ten; decades on a logarithmic axis. */
size_t draw_scale_ticks(const struct draw_scale *scale, double ticks[DRAW_TICKS_MAX])
{
    size_t count = 0;
    if (scale->log) {
        double decades = scale->high - scale->low;
        for (double at = floor(scale->low); at <= scale->high && count < DRAW_TICKS_MAX; at += 1) {
            for (int part = 0; part < (decades > 3 ? 1 : 3) && count < DRAW_TICKS_MAX; part++) {
                static const double parts[] = {1, 2, 5};
                double value = pow(10, at) * parts[part];
                if (log10(value) >= scale->low - 1e-9 && log10(value) <= scale->high + 1e-9) {
                    ticks[count++] = value;
                }
            }
        }
        return count;
    }
    double step = pow(10, floor(log10((scale->high - scale->low) / 4)));
    double steps = (scale->high - scale->low) / step;
    step *= steps > 20 ? 5 : steps > 8 ? 2 : 1;
    for (double at = ceil(scale->low / step) * step; at <= scale->high && count < DRAW_TICKS_MAX;
         at += step) {
        ticks[count++] = at;
    }
    return count;
}
