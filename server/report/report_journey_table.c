/* SPDX-License-Identifier: Apache-2.0 */
/* What the sections share: rows of pictures, the table with every column that says something, and
 * the path of an account. A table of more rows than are shown says how many there are. */
#include <math.h>
#include <string.h>

#include "server/draw/draw_number.h"
#include "server/draw/draw_page.h"
#include "server/draw/draw_table.h"
#include "server/math/special.h"
#include "server/report/report_journey_parts.h"

#define COLUMNS_MAX 32
/* Events that the picture of a path holds; the table has the same. */
#define PATH_ROWS REPORT_PICTURE_ROWS

static const double curve_days[REPORT_CURVE_POINTS] = {1, 3, 7, 14, 30, 60, 90, 180};

double report_curve_days(size_t point)
{
    return curve_days[point];
}

struct draw_row *report_rows_add(struct report_rows *rows, const char *name)
{
    if (rows->count == REPORT_PICTURE_ROWS) {
        return NULL;
    }
    size_t at = rows->count++;
    (void)snprintf(rows->names[at], sizeof rows->names[at], "%s", name);
    rows->figures[at][0] = '\0';
    rows->rows[at] = (struct draw_row){.name = rows->names[at],
                                       .figure = rows->figures[at],
                                       .from = MATH_NAN,
                                       .to = MATH_NAN,
                                       .low = MATH_NAN,
                                       .high = MATH_NAN};
    return &rows->rows[at];
}

/* "+10 points": a difference of shares is no share. */
static void points_label(const void *context, double value, char *text, size_t text_bytes)
{
    (void)context;
    double points = round(value * 1000) / 10;
    if (points == 0) {
        (void)snprintf(text, text_bytes, "0 points");
    } else {
        (void)snprintf(text, text_bytes, "%+.*f points", points == round(points) ? 0 : 1, points);
    }
}

void report_rows_draw(const struct report_scene *scene, const struct report_rows *rows,
                      const char *caption, bool points, double least, double most, double mark)
{
    if (rows->count == 0) {
        return;
    }
    draw_rows(scene->out,
              &(struct draw_rows){.id = scene->picture,
                                  .table = scene->table_id,
                                  .caption = caption,
                                  .sentence = "A picture of figures that stand in the table below",
                                  .rows = rows->rows,
                                  .count = rows->count,
                                  .least = least,
                                  .most = most,
                                  .mark = mark,
                                  .points = points,
                                  .label = rows->differences ? points_label : report_share_label});
}

void report_share_write(double value, double low, double high, int64_t n, char *text, size_t bytes)
{
    char share[REPORT_TEXT_BYTES];
    char count[REPORT_TEXT_BYTES];
    draw_number_share(value, share, sizeof share);
    draw_number_grouped(n, 0, 0, count, sizeof count);
    if (isfinite(low) && isfinite(high)) {
        (void)snprintf(text, bytes, "%s (%.1f to %.1f), n = %s", share, low * 100, high * 100,
                       count);
    } else {
        (void)snprintf(text, bytes, "%s, n = %s", share, count);
    }
}

bool report_column_has(const struct measure_table *table, const char *column)
{
    size_t count = 0;
    const struct measure_column *known = measure_columns(table->id, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(known[i].name, column) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether a column says something in any row that is shown. */
static bool column_says(const struct measure_table *table, size_t column, size_t rows)
{
    for (size_t row = 0; row < rows; row++) {
        const struct measure_cell *cell = &table->cells[row * table->columns + column];
        if (cell->kind != MEASURE_ABSENT &&
            (cell->kind != MEASURE_KIND_TEXT || cell->text[0] != '\0')) {
            return true;
        }
    }
    return false;
}

static size_t heads_make(const struct measure_table *table, size_t rows,
                         char names[COLUMNS_MAX][REPORT_TEXT_BYTES],
                         struct draw_column heads[COLUMNS_MAX], size_t columns[COLUMNS_MAX])
{
    size_t known = 0;
    size_t count = 0;
    const struct measure_column *all = measure_columns(table->id, &known);
    for (size_t c = 0; c < known && count < COLUMNS_MAX; c++) {
        if (c > 0 && !column_says(table, c, rows)) {
            continue;
        }
        (void)snprintf(names[count], REPORT_TEXT_BYTES, "%s", all[c].name);
        for (char *sign = names[count]; (sign = strchr(sign, '_')) != NULL;) {
            *sign = ' ';
        }
        heads[count] =
            (struct draw_column){names[count], all[c].kind == MEASURE_KIND_TEXT   ? DRAW_TEXT
                                               : all[c].kind == MEASURE_KIND_TIME ? DRAW_DAY
                                                                                  : DRAW_FIGURE};
        columns[count++] = c;
    }
    return count;
}

void report_journey_table(const struct report_scene *scene)
{
    const struct measure_table *table = scene->table;
    char names[COLUMNS_MAX][REPORT_TEXT_BYTES];
    struct draw_column heads[COLUMNS_MAX];
    size_t columns[COLUMNS_MAX];
    struct draw_table drawn;
    char text[REPORT_TEXT_BYTES];
    char caption[REPORT_TEXT_BYTES * 4];
    size_t rows = measure_table_rows(table);
    size_t shown = rows < REPORT_JOURNEY_ROWS ? rows : REPORT_JOURNEY_ROWS;
    size_t count = heads_make(table, shown, names, heads, columns);
    if (shown < rows) {
        draw_number_counted((int64_t)rows, "row", text, sizeof text);
        (void)snprintf(caption, sizeof caption,
                       "The first %zu of %s of icp measure %s, which has all", shown, text,
                       scene->section->measure);
    } else {
        (void)snprintf(caption, sizeof caption, "The figures, as by icp measure %s",
                       scene->section->measure);
    }
    draw_table_open(&drawn, scene->out, scene->table_id, caption, heads, count);
    for (size_t row = 0; row < shown; row++) {
        for (size_t c = 0; c < count; c++) {
            draw_table_cell(&drawn, report_shown(&table->cells[row * table->columns + columns[c]],
                                                 false, scene->report->ground.digits, text));
        }
    }
    draw_table_close(&drawn);
    fputs("<p>Read with: ", scene->out);
    draw_text(scene->out, measure_info(table->id)->correction);
    fputs(".</p>\n", scene->out);
}

static void day_label(const void *context, double value, char *text, size_t bytes)
{
    char day[REPORT_TEXT_BYTES];
    (void)context;
    /* Whole days: where an end of the axis lies between two is of no matter. */
    report_day((int64_t)value / 86400000 * 86400000, day);
    (void)snprintf(text, bytes, "%s", day);
}

static void path_table(FILE *out, const struct report_journey *report)
{
    static const struct draw_column heads[] = {
        {"time", DRAW_DAY}, {"type", DRAW_TEXT}, {"kind", DRAW_TEXT}, {"who", DRAW_TEXT}};
    struct draw_table drawn;
    char text[REPORT_TEXT_BYTES];
    draw_table_open(&drawn, out, "path-table", "What happened, as by icp timeline", heads, 4);
    for (size_t i = 0; i < report->step_count; i++) {
        const struct report_step *step = &report->steps[i];
        report_day(step->time_ms, text);
        draw_table_cell(&drawn, text);
        draw_table_cell(&drawn, step->type);
        draw_table_cell(&drawn, step->kind);
        draw_table_cell(&drawn, step->who);
    }
    draw_table_close(&drawn);
}

static enum draw_tone tone_of(const struct report_step *step)
{
    if (strcmp(step->type, "outcome") == 0) {
        return strcmp(step->kind, "lost") == 0 || strcmp(step->kind, "churned") == 0 ? DRAW_DOWN
                                                                                     : DRAW_UP;
    }
    return strcmp(step->type, "touch") == 0 ? DRAW_GREY : DRAW_PLAIN;
}

static void path_picture(FILE *out, const struct report_journey *report)
{
    struct report_rows rows = {.count = 0};
    size_t first = report->step_count > PATH_ROWS ? report->step_count - PATH_ROWS : 0;
    for (size_t i = first; i < report->step_count; i++) {
        const struct report_step *step = &report->steps[i];
        struct draw_row *row = report_rows_add(&rows, step->type);
        size_t at = rows.count - 1;
        (void)snprintf(rows.names[at], sizeof rows.names[at], "%s %.60s %.60s", step->type,
                       step->kind, step->who);
        report_day(step->time_ms, rows.figures[at]);
        row->to = (double)step->time_ms;
        row->tone = tone_of(step);
    }
    draw_rows(out,
              &(struct draw_rows){.id = "path-picture",
                                  .table = "path-table",
                                  .caption = "The newest events and when they happened; green "
                                             "what was won, red what was lost",
                                  .sentence = "Points along the time, one for each event; they "
                                              "stand in the table below",
                                  .rows = rows.rows,
                                  .count = rows.count,
                                  .least = (double)report->steps[first].time_ms,
                                  .most = (double)report->steps[report->step_count - 1].time_ms,
                                  .mark = MATH_NAN,
                                  .points = true,
                                  .label = day_label});
}

void report_journey_path(FILE *out, const struct report_journey *report)
{
    char text[REPORT_TEXT_BYTES];
    draw_section_open(out, "path", "The path of an account");
    fputs("<p class=\"answer\">", out);
    if (report->step_count == 0) {
        draw_format(out, "Of %s nothing is told.", report->account);
        fputs("</p>\n", out);
    } else {
        if (report->step_count < report->step_total) {
            draw_number_counted((int64_t)report->step_total, "event", text, sizeof text);
            draw_format(out, "%s: the newest %zu of its %s.", report->account, report->step_count,
                        text);
        } else {
            draw_number_counted((int64_t)report->step_count, "event", text, sizeof text);
            draw_format(out, "%s: %s, all that is told.", report->account, text);
        }
        fputs("</p>\n", out);
        path_picture(out, report);
        path_table(out, report);
    }
    draw_section_close(out);
}
