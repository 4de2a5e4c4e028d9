/* SPDX-License-Identifier: Apache-2.0 */
/* A chart of lines or dots: axes with ticks, each series, a legend. A series without points draws
 * nothing but its name. */
#include "server/draw/draw_svg.h"

#include "server/draw/draw_number.h"
#include "server/draw/draw_page.h"
#include "server/draw/draw_scale.h"

#define HEIGHT 300.0
#define LEFT 78.0
#define RIGHT 14.0
#define TOP 12.0
#define BOTTOM 46.0

static void tick_text(const struct draw_svg_axis *axis, double value, char *text, size_t text_bytes)
{
    if (axis->label != NULL) {
        axis->label(value, text, text_bytes);
    } else {
        draw_number(value, text, text_bytes);
    }
}

static void axes_write(FILE *out, const struct draw_svg_chart *chart, const struct draw_scale *x,
                       const struct draw_scale *y)
{
    double ticks[DRAW_TICKS_MAX];
    char text[64];
    size_t count = draw_scale_ticks(x, ticks);
    for (size_t i = 0; i < count; i++) {
        double at = draw_scale_place(x, ticks[i]);
        tick_text(&chart->x, ticks[i], text, sizeof text);
        fprintf(out,
                "<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/><text class=\"tick\" x=\"%.1f\" "
                "y=\"%.1f\" text-anchor=\"middle\">",
                at, y->to, y->from, at, y->from + 16);
        draw_text(out, text);
        fputs("</text>", out);
    }
    count = draw_scale_ticks(y, ticks);
    for (size_t i = 0; i < count; i++) {
        double at = draw_scale_place(y, ticks[i]);
        tick_text(&chart->y, ticks[i], text, sizeof text);
        fprintf(out,
                "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/><text class=\"tick\" x=\"%.1f\" "
                "y=\"%.1f\" text-anchor=\"end\">",
                x->from, at, x->to, x->from - 6, at + 4);
        draw_text(out, text);
        fputs("</text>", out);
    }
    fprintf(out, "<text class=\"axis\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">",
            (x->from + x->to) / 2, HEIGHT - 8);
    draw_text(out, chart->x.title);
    fprintf(out,
            "</text><text class=\"axis\" transform=\"translate(14 %.1f) rotate(-90)\" "
            "text-anchor=\"middle\">",
            (y->from + y->to) / 2);
    draw_text(out, chart->y.title);
    fputs("</text>\n", out);
}

/* There are four colours; what comes behind them has them again, dashed and pale. */
static void class_write(FILE *out, char letter, size_t index)
{
    fprintf(out, "class=\"%c%zu%s\"", letter, index % DRAW_SVG_COLOURS,
            index < DRAW_SVG_COLOURS ? "" : " again");
}

static void series_write(FILE *out, const struct draw_svg_series *series, size_t index,
                         const struct draw_scale *x, const struct draw_scale *y)
{
    if (series->dots) {
        for (size_t i = 0; i < series->count; i++) {
            fputs("<circle ", out);
            class_write(out, 'd', index);
            fprintf(out, " cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>", draw_scale_place(x, series->x[i]),
                    draw_scale_place(y, series->y[i]));
        }
        return;
    }
    fputs("<path ", out);
    class_write(out, series->below != NULL ? 'a' : 'l', index);
    fputs(" d=\"", out);
    for (size_t i = 0; i < series->count; i++) {
        fprintf(out, "%c%.1f %.1f", i == 0 ? 'M' : 'L', draw_scale_place(x, series->x[i]),
                draw_scale_place(y, series->y[i]));
    }
    for (size_t i = series->count; series->below != NULL && i-- > 0;) {
        fprintf(out, "L%.1f %.1f%s", draw_scale_place(x, series->x[i]),
                draw_scale_place(y, series->below[i]), i == 0 ? "Z" : "");
    }
    fputs("\"/>", out);
}

static void legend_write(FILE *out, const struct draw_svg_chart *chart)
{
    fputs("<figcaption>", out);
    for (size_t s = 0; s < chart->series_count; s++) {
        fputs("<span><i ", out);
        class_write(out, 'b', s);
        fputs("></i>", out);
        draw_text(out, chart->series[s].name);
        fputs("</span> ", out);
    }
    fputs("</figcaption>", out);
}

void draw_svg_lines(FILE *out, const struct draw_svg_chart *chart)
{
    struct draw_scale x = {.from = LEFT, .to = DRAW_WIDTH - RIGHT};
    struct draw_scale y = {.from = HEIGHT - BOTTOM, .to = TOP};
    draw_scale_init(&x, &chart->x, chart, true);
    draw_scale_init(&y, &chart->y, chart, false);
    draw_svg_open(out, chart->title, chart->table, HEIGHT);
    axes_write(out, chart, &x, &y);
    for (size_t s = 0; s < chart->series_count; s++) {
        series_write(out, &chart->series[s], s, &x, &y);
    }
    fputs("</svg>\n", out);
    legend_write(out, chart);
    fputs("</figure>\n", out);
}
