/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences and pictures of attribution, the grey area, handoffs and the gap. Where a table has too
 * many rows for a picture, those that stand first are drawn. */
#include <math.h>
#include <string.h>

#include "server/draw/draw_number.h"
#include "server/draw/draw_page.h"
#include "server/draw/draw_table.h"
#include "server/math/special.h"
#include "server/report/report_journey_parts.h"

/* Stages whose curve is drawn. */
#define CURVES_MAX 3

static bool is(const struct measure_table *table, size_t row, const char *column, const char *word)
{
    return strcmp(report_text(table, row, column), word) == 0;
}

void report_journey_grey(const struct report_scene *scene)
{
    const struct measure_table *table = scene->table;
    struct report_rows rows = {.count = 0};
    char text[REPORT_FIGURE_BYTES];
    fputs("<p class=\"answer\">", scene->out);
    for (size_t r = 0; r < measure_table_rows(table); r++) {
        if (is(table, r, "figure", "longest silence")) {
            continue; /* in days, the others are shares */
        }
        if (!isfinite(report_value(table, r, "value"))) {
            continue;
        }
        (void)snprintf(text, sizeof text, "%s, %s", report_text(table, r, "figure"),
                       report_text(table, r, "of"));
        struct draw_row *row = report_rows_add(&rows, text);
        if (row != NULL) {
            row->to = report_value(table, r, "value");
            row->low = report_value(table, r, "low");
            row->high = report_value(table, r, "high");
            row->tone = is(table, r, "of", "won") ? DRAW_UP : DRAW_GREY;
            report_share_write(row->to, row->low, row->high, report_whole(table, r, "n"),
                               rows.figures[rows.count - 1], REPORT_FIGURE_BYTES);
        }
        if (is(table, r, "figure", "unseen") && is(table, r, "of", "won")) {
            char share[REPORT_TEXT_BYTES];
            draw_number_share(report_value(table, r, "value"), share, sizeof share);
            draw_format(scene->out, "Of %lld journeys that were won %s had no touch that was told.",
                        (long long)report_whole(table, r, "n"), share);
        }
    }
    fputs("</p>\n", scene->out);
    report_rows_draw(scene, &rows,
                     "Shares with their intervals; green of what was won, grey of what was lost",
                     true, 0, 1, MATH_NAN);
}

static const char *const models[] = {"first", "last",   "linear", "position",
                                     "decay", "markov", "shapley"};
#define MODELS (sizeof models / sizeof *models)

/* Credit of all channels by each model. */
static void credits_of(const struct measure_table *table, double totals[MODELS])
{
    for (size_t m = 0; m < MODELS; m++) {
        totals[m] = 0;
        for (size_t r = 0; r < measure_table_rows(table); r++) {
            double credit = report_value(table, r, models[m]);
            if (is(table, r, "row", "channel") && isfinite(credit)) {
                totals[m] += credit;
            }
        }
    }
}

static void credit_row(const struct measure_table *table, size_t r, const double totals[MODELS],
                       struct report_rows *rows)
{
    struct draw_row *row = report_rows_add(rows, report_text(table, r, "channel"));
    if (row == NULL) {
        return;
    }
    size_t least = MODELS;
    size_t most = MODELS;
    for (size_t m = 0; m < MODELS; m++) {
        double share = totals[m] > 0 ? report_value(table, r, models[m]) / totals[m] : MATH_NAN;
        if (isfinite(share) && (least == MODELS || share < row->low)) {
            row->low = share;
            least = m;
        }
        if (isfinite(share) && (most == MODELS || share > row->high)) {
            row->high = share;
            most = m;
        }
    }
    row->to = report_value(table, r, "value");
    if (least < MODELS && most < MODELS) {
        char share[REPORT_TEXT_BYTES];
        draw_number_share(row->to, share, sizeof share);
        (void)snprintf(rows->figures[rows->count - 1], REPORT_FIGURE_BYTES,
                       "%s; %.1f %% by %s to %.1f %% by %s", share, row->low * 100, models[least],
                       row->high * 100, models[most]);
    }
}

void report_journey_credit(const struct report_scene *scene)
{
    const struct measure_table *table = scene->table;
    struct report_rows rows = {.count = 0};
    double totals[MODELS];
    credits_of(table, totals);
    fputs("<p class=\"answer\">", scene->out);
    for (size_t r = 0; r < measure_table_rows(table); r++) {
        char share[REPORT_TEXT_BYTES];
        if (is(table, r, "row", "unseen")) {
            draw_number_share(report_value(table, r, "value"), share, sizeof share);
            draw_format(scene->out,
                        "%s of what was won had no touch before it and is in no channel.", share);
        } else if (is(table, r, "row", "kendall-w") && isfinite(report_value(table, r, "value"))) {
            draw_format(scene->out,
                        " The models agree on the order of channels to %.2f of 1 (Kendall's W).",
                        report_value(table, r, "value"));
        } else if (is(table, r, "row", "channel")) {
            credit_row(table, r, totals, &rows);
        }
    }
    fputs("</p>\n", scene->out);
    report_rows_draw(
        scene, &rows,
        "Share of the credit by Shapley's model (point), and from the model that gives "
        "least to the one that gives most (line)",
        true, 0, 0, MATH_NAN);
}

/* The row of a stage in a table of handoffs; SIZE_MAX: there is none. */
static size_t stage_find(const struct measure_table *table, const char *stage)
{
    for (size_t r = 0; r < measure_table_rows(table); r++) {
        if (is(table, r, "row", "stage") && is(table, r, "from", stage)) {
            return r;
        }
    }
    return SIZE_MAX;
}

/* Stages, those with most entries first. */
static size_t stages_of(const struct measure_table *table, size_t stages[CURVES_MAX])
{
    size_t count = 0;
    for (size_t r = 0; r < measure_table_rows(table); r++) {
        if (!is(table, r, "row", "stage")) {
            continue;
        }
        size_t at = count < CURVES_MAX ? count++ : CURVES_MAX;
        while (at > 0 && report_whole(table, stages[at - 1], "n") < report_whole(table, r, "n")) {
            if (at < CURVES_MAX) {
                stages[at] = stages[at - 1];
            }
            at--;
        }
        if (at < CURVES_MAX) {
            stages[at] = r;
        }
    }
    return count;
}

/* 1 − Kaplan and Meier's curve of one stage, at the days that were asked for. */
static void curve_draw(const struct report_scene *scene, const char *stage, size_t number)
{
    struct report_rows rows = {.count = 0};
    char id[REPORT_TEXT_BYTES];
    char caption[REPORT_FIGURE_BYTES * 2];
    for (size_t p = 0; p < REPORT_CURVE_POINTS; p++) {
        const struct measure_table *table = scene->report->curve[p].table;
        size_t r = table != NULL ? stage_find(table, stage) : SIZE_MAX;
        char name[REPORT_TEXT_BYTES];
        (void)snprintf(name, sizeof name, "Day %g", report_curve_days(p));
        struct draw_row *row = r != SIZE_MAX ? report_rows_add(&rows, name) : NULL;
        if (row != NULL) {
            row->from = 0;
            row->to = report_value(table, r, "within");
            row->low = report_value(table, r, "within_low");
            row->high = report_value(table, r, "within_high");
            report_share_write(row->to, row->low, row->high, report_whole(table, r, "n"),
                               rows.figures[rows.count - 1], REPORT_FIGURE_BYTES);
        }
    }
    if (rows.count == 0) {
        return;
    }
    (void)snprintf(id, sizeof id, "curve-picture-%zu", number);
    (void)snprintf(caption, sizeof caption,
                   "From %.100s: share that had gone on by then, of those that were still waited "
                   "for (Kaplan and Meier)",
                   stage);
    draw_rows(scene->out, &(struct draw_rows){.id = id,
                                              .table = "curve-table",
                                              .caption = caption,
                                              .sentence = "Bars that grow longer with the days; "
                                                          "the figures stand in the table of days",
                                              .rows = rows.rows,
                                              .count = rows.count,
                                              .least = 0,
                                              .most = 1,
                                              .mark = MATH_NAN,
                                              .label = report_share_label});
}

static void curve_table(const struct report_scene *scene, const size_t stages[CURVES_MAX],
                        size_t count)
{
    struct draw_column heads[CURVES_MAX + 1] = {{"Days", DRAW_FIGURE}};
    struct draw_table drawn;
    char text[REPORT_TEXT_BYTES];
    for (size_t s = 0; s < count; s++) {
        heads[s + 1] =
            (struct draw_column){report_text(scene->table, stages[s], "from"), DRAW_FIGURE};
    }
    draw_table_open(&drawn, scene->out, "curve-table",
                    "Share that had gone on, by icp measure handoffs --within the days", heads,
                    count + 1);
    for (size_t p = 0; p < REPORT_CURVE_POINTS; p++) {
        const struct measure_table *table = scene->report->curve[p].table;
        (void)snprintf(text, sizeof text, "%g", report_curve_days(p));
        draw_table_cell(&drawn, text);
        for (size_t s = 0; s < count; s++) {
            size_t r = table != NULL ? stage_find(table, heads[s + 1].name) : SIZE_MAX;
            draw_number_share(r != SIZE_MAX ? report_value(table, r, "within") : MATH_NAN, text,
                              sizeof text);
            draw_table_cell(&drawn, text);
        }
    }
    draw_table_close(&drawn);
}

void report_journey_handoffs(const struct report_scene *scene)
{
    const struct measure_table *table = scene->table;
    struct report_rows rows = {.count = 0};
    size_t stages[CURVES_MAX] = {0};
    size_t count = stages_of(table, stages);
    fputs("<p class=\"answer\">", scene->out);
    for (size_t s = 0; s < count; s++) {
        char rate[REPORT_TEXT_BYTES];
        char drop[REPORT_TEXT_BYTES];
        draw_number_share(report_value(table, stages[s], "rate"), rate, sizeof rate);
        draw_number_share(report_value(table, stages[s], "drop"), drop, sizeof drop);
        draw_format(scene->out, "Of %lld entries into %.100s %s went on and %s were dropped. ",
                    (long long)report_whole(table, stages[s], "n"),
                    report_text(table, stages[s], "from"), rate, drop);
    }
    fputs("</p>\n", scene->out);
    for (size_t r = 0; r < measure_table_rows(table); r++) {
        char name[REPORT_FIGURE_BYTES];
        if (!is(table, r, "row", "stage") && !is(table, r, "row", "owner")) {
            continue;
        }
        bool owner = is(table, r, "row", "owner");
        (void)snprintf(name, sizeof name, "%.70s%s%.70s", report_text(table, r, "from"),
                       owner ? ": " : "", owner ? report_text(table, r, "owner") : "");
        struct draw_row *row = report_rows_add(&rows, name);
        if (row != NULL) {
            row->to = report_value(table, r, "rate");
            row->low = report_value(table, r, "low");
            row->high = report_value(table, r, "high");
            row->tone = owner ? DRAW_GREY : DRAW_PLAIN;
            report_share_write(row->to, row->low, row->high, report_whole(table, r, "n"),
                               rows.figures[rows.count - 1], REPORT_FIGURE_BYTES);
        }
    }
    report_rows_draw(scene, &rows,
                     "Share of the entries that went on: stages, and their owners in grey", true, 0,
                     1, MATH_NAN);
    for (size_t s = 0; s < count; s++) {
        curve_draw(scene, report_text(table, stages[s], "from"), s + 1);
    }
    if (count > 0) {
        curve_table(scene, stages, count);
    }
}

/* Places of the parts in the table. */
enum { GAP, FOLLOW_UP, MIX, REST, PARTS };

static void gap_answer(const struct report_scene *scene, const double parts[PARTS], double low,
                       double high)
{
    const char *const *group = scene->report->group;
    draw_format(
        scene->out,
        "%.80s wins %.1f points %s than %.80s (%+.1f to %+.1f): %+.1f of follow-up at equal "
        "mix, %+.1f of mix, %+.1f that cannot be compared.",
        group[0] != NULL ? group[0] : "a", fabs(parts[GAP]) * 100,
        parts[GAP] < 0 ? "fewer" : "more", group[1] != NULL ? group[1] : "the others", low * 100,
        high * 100, parts[FOLLOW_UP] * 100, parts[MIX] * 100, parts[REST] * 100);
}

/* The parts add up to the gap: each begins where the one before ends, with its interval. */
void report_journey_gap(const struct report_scene *scene)
{
    static const char *const names[PARTS] = {"gap", "follow-up", "mix", "not comparable"};
    static const char *const shown[PARTS] = {"The gap", "Follow-up, at equal mix",
                                             "Mix, at equal follow-up", "Not comparable"};
    const struct measure_table *table = scene->table;
    struct report_rows rows = {.differences = true};
    double parts[PARTS] = {0, 0, 0, 0};
    size_t at[PARTS] = {0, 0, 0, 0};
    double level = 0;
    for (size_t r = measure_table_rows(table); r-- > 0;) {
        for (int p = 0; p < PARTS; p++) {
            at[p] = is(table, r, "part", names[p]) ? r : at[p];
        }
    }
    for (int p = 0; p < PARTS; p++) {
        parts[p] = report_value(table, at[p], "value");
    }
    fputs("<p class=\"answer\">", scene->out);
    gap_answer(scene, parts, report_value(table, at[GAP], "low"),
               report_value(table, at[GAP], "high"));
    fputs("</p>\n", scene->out);
    for (int step = 0; step < PARTS; step++) {
        int p = (step + 1) % PARTS; /* the gap comes last */
        double from = p == GAP ? 0 : level;
        struct draw_row *row = report_rows_add(&rows, shown[p]);
        row->from = from;
        row->to = from + parts[p];
        row->low = from + report_value(table, at[p], "low");
        row->high = from + report_value(table, at[p], "high");
        row->tone = p == GAP ? DRAW_PLAIN : parts[p] < 0 ? DRAW_DOWN : DRAW_UP;
        (void)snprintf(rows.figures[rows.count - 1], REPORT_FIGURE_BYTES,
                       "%+.1f points (%+.1f to %+.1f)", parts[p] * 100,
                       report_value(table, at[p], "low") * 100,
                       report_value(table, at[p], "high") * 100);
        level = row->to;
    }
    report_rows_draw(scene, &rows, "The parts of the gap, each from where the one before ends",
                     false, 0, 0, 0);
}
