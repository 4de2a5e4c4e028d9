/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/bench_svg.h"

#include <math.h>
#include <string.h>

#define WIDTH 720.0
#define HEIGHT 300.0
#define LEFT 78.0
#define RIGHT 14.0
#define TOP 12.0
#define BOTTOM 46.0
#define TICKS_MAX 16

void bench_svg_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc(*text, out);
        }
    }
}

void bench_svg_number(double value, char *text, size_t text_bytes)
{
    static const struct {
        double from;
        const char *unit;
    } units[] = {{1e9, " G"}, {1e6, " M"}, {1e3, " k"}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (fabs(value) >= units[i].from) {
            snprintf(text, text_bytes, "%.3g%s", value / units[i].from, units[i].unit);
            return;
        }
    snprintf(text, text_bytes, "%.3g", value);
}

struct scale {
    bool log;
    double low, high; /* of the values, as logarithms if log */
    double from, to;  /* of the picture */
};

static double place(const struct scale *scale, double value)
{
    double at = scale->log ? log10(value > 0 ? value : 1e-12) : value;
    double share = (at - scale->low) / (scale->high - scale->low);
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    return scale->from + share * (scale->to - scale->from);
}

static void scale_init(struct scale *scale, const struct bench_svg_axis *axis,
                       const struct bench_svg_chart *chart, bool is_x)
{
    double low = HUGE_VAL;
    double high = -HUGE_VAL;
    for (size_t s = 0; s < chart->series_count; s++)
        for (size_t i = 0; i < chart->series[s].count; i++) {
            double value = is_x ? chart->series[s].x[i] : chart->series[s].y[i];
            if (axis->log && value <= 0)
                continue;
            low = value < low ? value : low;
            high = value > high ? value : high;
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
    if (scale->high <= scale->low)
        scale->high = scale->low + 1;
}

/* Ticks at 1, 2 or 5 times a power of ten; decades on a logarithmic axis. */
static size_t ticks_make(const struct scale *scale, double ticks[TICKS_MAX])
{
    size_t count = 0;
    if (scale->log) {
        double decades = scale->high - scale->low;
        for (double at = floor(scale->low); at <= scale->high && count < TICKS_MAX; at += 1)
            for (int part = 0; part < (decades > 3 ? 1 : 3) && count < TICKS_MAX; part++) {
                static const double parts[] = {1, 2, 5};
                double value = pow(10, at) * parts[part];
                if (log10(value) >= scale->low - 1e-9 && log10(value) <= scale->high + 1e-9)
                    ticks[count++] = value;
            }
        return count;
    }
    double step = pow(10, floor(log10((scale->high - scale->low) / 4)));
    double steps = (scale->high - scale->low) / step;
    step *= steps > 20 ? 5 : steps > 8 ? 2 : 1;
    for (double at = ceil(scale->low / step) * step; at <= scale->high && count < TICKS_MAX;
         at += step)
        ticks[count++] = at;
    return count;
}

static void tick_text(const struct bench_svg_axis *axis, double value, char *text,
                      size_t text_bytes)
{
    if (axis->label != NULL)
        axis->label(value, text, text_bytes);
    else
        bench_svg_number(value, text, text_bytes);
}

static void axes_write(FILE *out, const struct bench_svg_chart *chart, const struct scale *x,
                       const struct scale *y)
{
    double ticks[TICKS_MAX];
    char text[64];
    size_t count = ticks_make(x, ticks);
    for (size_t i = 0; i < count; i++) {
        double at = place(x, ticks[i]);
        tick_text(&chart->x, ticks[i], text, sizeof text);
        fprintf(out,
                "<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/><text class=\"tick\" x=\"%.1f\" "
                "y=\"%.1f\" text-anchor=\"middle\">",
                at, y->to, y->from, at, y->from + 16);
        bench_svg_text(out, text);
        fputs("</text>", out);
    }
    count = ticks_make(y, ticks);
    for (size_t i = 0; i < count; i++) {
        double at = place(y, ticks[i]);
        tick_text(&chart->y, ticks[i], text, sizeof text);
        fprintf(out,
                "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/><text class=\"tick\" x=\"%.1f\" "
                "y=\"%.1f\" text-anchor=\"end\">",
                x->from, at, x->to, x->from - 6, at + 4);
        bench_svg_text(out, text);
        fputs("</text>", out);
    }
    fprintf(out, "<text class=\"axis\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">",
            (x->from + x->to) / 2, HEIGHT - 8);
    bench_svg_text(out, chart->x.title);
    fprintf(out,
            "</text><text class=\"axis\" transform=\"translate(14 %.1f) rotate(-90)\" "
            "text-anchor=\"middle\">",
            (y->from + y->to) / 2);
    bench_svg_text(out, chart->y.title);
    fputs("</text>\n", out);
}

static void series_write(FILE *out, const struct bench_svg_series *series, size_t index,
                         const struct scale *x, const struct scale *y)
{
    if (series->dots) {
        for (size_t i = 0; i < series->count; i++)
            fprintf(out, "<circle class=\"d%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>", index,
                    place(x, series->x[i]), place(y, series->y[i]));
        return;
    }
    fprintf(out, "<path class=\"l%zu\" d=\"", index);
    for (size_t i = 0; i < series->count; i++)
        fprintf(out, "%c%.1f %.1f", i == 0 ? 'M' : 'L', place(x, series->x[i]),
                place(y, series->y[i]));
    fputs("\"/>", out);
}

static void legend_write(FILE *out, const struct bench_svg_chart *chart)
{
    fputs("<figcaption>", out);
    for (size_t s = 0; s < chart->series_count; s++) {
        fprintf(out, "<span><i class=\"b%zu\"></i>", s);
        bench_svg_text(out, chart->series[s].name);
        fputs("</span> ", out);
    }
    fputs("</figcaption>", out);
}

void bench_svg_lines(FILE *out, const struct bench_svg_chart *chart)
{
    struct scale x = {.from = LEFT, .to = WIDTH - RIGHT};
    struct scale y = {.from = HEIGHT - BOTTOM, .to = TOP};
    scale_init(&x, &chart->x, chart, true);
    scale_init(&y, &chart->y, chart, false);
    fputs("<figure><h3>", out);
    bench_svg_text(out, chart->title);
    fprintf(out, "</h3>\n<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\">", WIDTH, HEIGHT);
    axes_write(out, chart, &x, &y);
    for (size_t s = 0; s < chart->series_count; s++)
        series_write(out, &chart->series[s], s, &x, &y);
    fputs("</svg>\n", out);
    legend_write(out, chart);
    fputs("</figure>\n", out);
}

static double bars_most(const struct bench_svg_bar *bars, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        most = bars[i].high > most ? bars[i].high : most;
        most = bars[i].value > most ? bars[i].value : most;
        most = bars[i].mark > most ? bars[i].mark : most;
    }
    return most > 0 ? most : 1;
}

void bench_svg_bars(FILE *out, const char *title, const char *unit,
                    const struct bench_svg_bar *bars, size_t count)
{
    enum { ROW = 26, NAME = 190, VALUE = 130 };
    struct scale x = {.low = 0, .high = bars_most(bars, count), .from = NAME, .to = WIDTH - VALUE};
    fputs("<figure><h3>", out);
    bench_svg_text(out, title);
    fprintf(out, "</h3>\n<svg viewBox=\"0 0 %.0f %zu\" role=\"img\">", WIDTH, count * ROW + 6);
    for (size_t i = 0; i < count; i++) {
        double top = (double)(i * ROW) + 4;
        char text[64];
        fprintf(out, "<text class=\"name\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", NAME - 8,
                top + 15);
        bench_svg_text(out, bars[i].name);
        fprintf(out,
                "</text><rect class=\"r%d\" x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"18\"/>",
                bars[i].tone, NAME, top, place(&x, bars[i].value) - NAME);
        if (bars[i].high > bars[i].low)
            fprintf(out, "<path class=\"whisker\" d=\"M%.1f %.1fH%.1fM%.1f %.1fv8M%.1f %.1fv8\"/>",
                    place(&x, bars[i].low), top + 9, place(&x, bars[i].high),
                    place(&x, bars[i].low), top + 5, place(&x, bars[i].high), top + 5);
        if (bars[i].mark > 0)
            fprintf(out, "<path class=\"mark\" d=\"M%.1f %.1fv24\"/>", place(&x, bars[i].mark),
                    top - 3);
        if (strcmp(unit, "ns") == 0)
            snprintf(text, sizeof text, "%.0f", bars[i].value);
        else
            bench_svg_number(bars[i].value, text, sizeof text);
        fprintf(out, "<text class=\"value\" x=\"%.1f\" y=\"%.1f\">", WIDTH - VALUE + 10, top + 15);
        bench_svg_text(out, text);
        fputs(unit[0] == '/' ? "" : " ", out);
        bench_svg_text(out, unit);
        fputs("</text>\n", out);
    }
    fputs("</svg></figure>\n", out);
}

static double stack_sum(const struct bench_svg_stack *stack, size_t parts)
{
    double sum = 0;
    for (size_t i = 0; i < parts; i++)
        sum += stack->parts[i];
    return sum;
}

void bench_svg_stacks(FILE *out, const char *title, const char *unit, const char *const *names,
                      size_t parts, const struct bench_svg_stack *stacks, size_t count)
{
    enum { ROW = 26, NAME = 120, VALUE = 110 };
    struct scale x = {.low = 0, .high = 0, .from = NAME, .to = WIDTH - VALUE};
    for (size_t i = 0; i < count; i++) {
        double sum = stack_sum(&stacks[i], parts);
        x.high = sum > x.high ? sum : x.high;
    }
    x.high = x.high > 0 ? x.high : 1;
    fputs("<figure><h3>", out);
    bench_svg_text(out, title);
    fprintf(out, "</h3>\n<svg viewBox=\"0 0 %.0f %zu\" role=\"img\">", WIDTH, count * ROW + 6);
    for (size_t i = 0; i < count; i++) {
        double top = (double)(i * ROW) + 4;
        double at = 0;
        fprintf(out, "<text class=\"name\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", NAME - 8,
                top + 15);
        bench_svg_text(out, stacks[i].name);
        fputs("</text>", out);
        for (size_t part = 0; part < parts; part++) {
            double from = place(&x, at);
            at += stacks[i].parts[part];
            fprintf(out,
                    "<rect class=\"r%zu\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"18\">"
                    "<title>%.0f ",
                    part, from, top, place(&x, at) - from, stacks[i].parts[part]);
            bench_svg_text(out, unit);
            fputs("</title></rect>", out);
        }
        fprintf(out, "<text class=\"value\" x=\"%.1f\" y=\"%.1f\">%.0f ", WIDTH - VALUE + 10,
                top + 15, at);
        bench_svg_text(out, unit);
        fputs("</text>\n", out);
    }
    fputs("</svg><figcaption>", out);
    for (size_t part = 0; part < parts; part++) {
        fprintf(out, "<span><i class=\"b%zu\"></i>", part);
        bench_svg_text(out, names[part]);
        fputs("</span> ", out);
    }
    fputs("</figcaption></figure>\n", out);
}
