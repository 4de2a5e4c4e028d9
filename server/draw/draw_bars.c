/* SPDX-License-Identifier: Apache-2.0 */
/* Horizontal bars: each from 0 to its value, with its interval and its target across it; and bars
 * made of parts. Without a bar above 0 the axis ends at 1. */
#include <string.h>

#include "server/draw/draw_number.h"
#include "server/draw/draw_page.h"
#include "server/draw/draw_scale.h"

static double bars_most(const struct draw_svg_bar *bars, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        most = bars[i].high > most ? bars[i].high : most;
        most = bars[i].value > most ? bars[i].value : most;
        most = bars[i].mark > most ? bars[i].mark : most;
    }
    return most > 0 ? most : 1;
}

void draw_svg_bars(FILE *out, const char *title, const char *unit, const struct draw_svg_bar *bars,
                   size_t count)
{
    enum { ROW = 26, NAME = 190, VALUE = 130 };
    struct draw_scale x = {
        .low = 0, .high = bars_most(bars, count), .from = NAME, .to = DRAW_WIDTH - VALUE};
    draw_svg_open(out, title, NULL, (double)(count * ROW + 6));
    for (size_t i = 0; i < count; i++) {
        double top = (double)(i * ROW) + 4;
        char text[64];
        fprintf(out, "<text class=\"name\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", NAME - 8,
                top + 15);
        draw_text(out, bars[i].name);
        fprintf(out,
                "</text><rect class=\"r%d\" x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"18\"/>",
                bars[i].tone, NAME, top, draw_scale_place(&x, bars[i].value) - NAME);
        if (bars[i].high > bars[i].low) {
            fprintf(out, "<path class=\"whisker\" d=\"M%.1f %.1fH%.1fM%.1f %.1fv8M%.1f %.1fv8\"/>",
                    draw_scale_place(&x, bars[i].low), top + 9, draw_scale_place(&x, bars[i].high),
                    draw_scale_place(&x, bars[i].low), top + 5, draw_scale_place(&x, bars[i].high),
                    top + 5);
        }
        if (bars[i].mark > 0) {
            fprintf(out, "<path class=\"mark\" d=\"M%.1f %.1fv24\"/>",
                    draw_scale_place(&x, bars[i].mark), top - 3);
        }
        if (strcmp(unit, "ns") == 0) {
            snprintf(text, sizeof text, "%.0f", bars[i].value);
        } else {
            draw_number(bars[i].value, text, sizeof text);
        }
        fprintf(out, "<text class=\"value\" x=\"%.1f\" y=\"%.1f\">", DRAW_WIDTH - VALUE + 10,
                top + 15);
        draw_text(out, text);
        fputs(unit[0] == '/' ? "" : " ", out);
        draw_text(out, unit);
        fputs("</text>\n", out);
    }
    fputs("</svg></figure>\n", out);
}

static double stack_sum(const struct draw_svg_stack *stack, size_t parts)
{
    double sum = 0;
    for (size_t i = 0; i < parts; i++) {
        sum += stack->parts[i];
    }
    return sum;
}

void draw_svg_stacks(FILE *out, const char *title, const char *unit, const char *const *names,
                     size_t parts, const struct draw_svg_stack *stacks, size_t count)
{
    enum { ROW = 26, NAME = 120, VALUE = 110 };
    struct draw_scale x = {.low = 0, .high = 0, .from = NAME, .to = DRAW_WIDTH - VALUE};
    for (size_t i = 0; i < count; i++) {
        double sum = stack_sum(&stacks[i], parts);
        x.high = sum > x.high ? sum : x.high;
    }
    x.high = x.high > 0 ? x.high : 1;
    draw_svg_open(out, title, NULL, (double)(count * ROW + 6));
    for (size_t i = 0; i < count; i++) {
        double top = (double)(i * ROW) + 4;
        double at = 0;
        fprintf(out, "<text class=\"name\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", NAME - 8,
                top + 15);
        draw_text(out, stacks[i].name);
        fputs("</text>", out);
        for (size_t part = 0; part < parts; part++) {
            double from = draw_scale_place(&x, at);
            at += stacks[i].parts[part];
            fprintf(out,
                    "<rect class=\"r%zu\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"18\">"
                    "<title>%.0f ",
                    part, from, top, draw_scale_place(&x, at) - from, stacks[i].parts[part]);
            draw_text(out, unit);
            fputs("</title></rect>", out);
        }
        fprintf(out, "<text class=\"value\" x=\"%.1f\" y=\"%.1f\">%.0f ", DRAW_WIDTH - VALUE + 10,
                top + 15, at);
        draw_text(out, unit);
        fputs("</text>\n", out);
    }
    fputs("</svg><figcaption>", out);
    for (size_t part = 0; part < parts; part++) {
        fprintf(out, "<span><i class=\"b%zu\"></i>", part);
        draw_text(out, names[part]);
        fputs("</span> ", out);
    }
    fputs("</figcaption></figure>\n", out);
}
