/* SPDX-License-Identifier: Apache-2.0 */
/* Places are percentages of the width, kept off the edges so that no point is cut. Without a value
 * the axis goes from 0 to 1; what lies beyond an axis that is given is drawn at its end. */
#include "server/draw/draw_rows.h"

#include <math.h>
#include <string.h>

#include "server/draw/draw_page.h"
#include "server/draw/draw_shown.h"

#define EDGE 1.0 /* per cent on either side */

struct axis {
    double least, most;
};

static void axis_reach(struct axis *axis, double value)
{
    if (isfinite(value)) {
        axis->least = value < axis->least ? value : axis->least;
        axis->most = value > axis->most ? value : axis->most;
    }
}

static struct axis axis_of(const struct draw_rows *picture)
{
    struct axis axis = {picture->least, picture->most};
    if (axis.least == 0 && axis.most == 0) {
        for (size_t i = 0; i < picture->count; i++) {
            axis_reach(&axis, picture->rows[i].from);
            axis_reach(&axis, picture->rows[i].to);
            axis_reach(&axis, picture->rows[i].low);
            axis_reach(&axis, picture->rows[i].high);
        }
        axis_reach(&axis, picture->mark);
    }
    if (!(axis.most > axis.least)) {
        axis.most = axis.least + 1;
    }
    return axis;
}

static double place(const struct axis *axis, double value)
{
    double share = (value - axis->least) / (axis->most - axis->least);
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    return EDGE + share * (100 - 2 * EDGE);
}

static void bar_write(FILE *out, const struct axis *axis, const struct draw_row *row)
{
    double a = place(axis, row->from);
    double b = place(axis, row->to);
    double width = fabs(b - a);
    fprintf(out, "<rect class=\"t%d\" x=\"%.2f%%\" y=\"3\" width=\"%.2f%%\" height=\"12\"/>",
            (int)row->tone, a < b ? a : b, width < 0.15 ? 0.15 : width);
}

static void line_write(FILE *out, const char *name, double x1, double x2, int y1, int y2)
{
    fprintf(out, "<line class=\"%s\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\"/>", name, x1,
            x2, y1, y2);
}

static void row_write(FILE *out, const struct draw_rows *picture, const struct axis *axis,
                      const struct draw_row *row)
{
    fputs("<div class=\"row\"><span>", out);
    draw_shown(out, row->name, strlen(row->name));
    fputs("</span><b>", out);
    draw_text(out, row->figure);
    fputs("</b><svg width=\"100%\" height=\"18\" focusable=\"false\">", out);
    line_write(out, "base", EDGE, 100 - EDGE, 17, 17);
    if (isfinite(picture->mark)) {
        line_write(out, "mark", place(axis, picture->mark), place(axis, picture->mark), 0, 18);
    }
    if (!picture->points && isfinite(row->from) && isfinite(row->to)) {
        bar_write(out, axis, row);
    }
    if (isfinite(row->low) && isfinite(row->high)) {
        double low = place(axis, row->low);
        double high = place(axis, row->high);
        line_write(out, "whisker", low, high, 9, 9);
        line_write(out, "whisker", low, low, 5, 13);
        line_write(out, "whisker", high, high, 5, 13);
    }
    if (picture->points && isfinite(row->to)) {
        fprintf(out, "<circle class=\"t%d\" cx=\"%.2f%%\" cy=\"9\" r=\"5\"/>", (int)row->tone,
                place(axis, row->to));
    }
    fputs("</svg></div>\n", out);
}

static void ends_write(FILE *out, const struct draw_rows *picture, const struct axis *axis)
{
    const double ends[] = {axis->least, (axis->least + axis->most) / 2, axis->most};
    char text[64];
    fputs("<div class=\"ends\">", out);
    for (size_t i = 0; i < 3; i++) {
        picture->label(picture->context, ends[i], text, sizeof text);
        fputs("<span>", out);
        draw_text(out, text);
        fputs("</span>", out);
    }
    fputs("</div>\n", out);
}

void draw_rows(FILE *out, const struct draw_rows *picture)
{
    struct axis axis = axis_of(picture);
    fprintf(out, "<figure aria-labelledby=\"%s\" aria-details=\"%s\"><figcaption id=\"%s\">",
            picture->id, picture->table, picture->id);
    draw_text(out, picture->caption);
    fputs("</figcaption>\n<div class=\"rows\" role=\"img\" aria-label=\"", out);
    draw_text(out, picture->sentence);
    fputs("\">\n", out);
    for (size_t i = 0; i < picture->count; i++) {
        row_write(out, picture, &axis, &picture->rows[i]);
    }
    if (picture->label != NULL) {
        ends_write(out, picture, &axis);
    }
    fputs("</div></figure>\n", out);
}
