/* SPDX-License-Identifier: Apache-2.0 */
/* What was measured of a version: figures, reliability, gains, grades. Gains are of tenths of p,
 * the highest first, which is what a document keeps. */
#include <math.h>
#include <string.h>

#include "server/draw/draw_number.h"
#include "server/draw/draw_page.h"
#include "server/draw/draw_rows.h"
#include "server/draw/draw_svg.h"
#include "server/report/report_icp_parts.h"

#define BINS_MAX 16

static const json_t *holdout_of(const struct report_icp *report)
{
    return json_object_get(json_object_get(report->document, "evidence"), "holdout");
}

/* Whether there is evidence; if not, the section says so. */
static bool measured(FILE *out, const struct report_icp *report)
{
    bool any = report_icp_number(holdout_of(report), "n") > 0;
    if (!any) {
        report_icp_answer(out, "Not measured: no outcome was named for this version.");
    }
    return any;
}

static void figure_row(struct draw_table *table, const json_t *of, const char *name,
                       const char *member, const char *low, const char *says)
{
    char interval[64] = "";
    char high[64];
    draw_table_cell(table, name);
    report_icp_figure(table, report_icp_number(of, member));
    if (low != NULL && json_object_get(of, low) != NULL) {
        (void)snprintf(high, sizeof high, "%.*shigh", (int)(strlen(low) - 3), low);
        (void)snprintf(interval, sizeof interval, "%.4f to %.4f", report_icp_number(of, low),
                       report_icp_number(of, high));
        draw_table_cell(table, interval);
    } else {
        draw_table_gap(table);
    }
    draw_table_cell(table, says);
}

void report_icp_evidence(FILE *out, const struct report_icp *report)
{
    static const struct draw_column heads[] = {{"Figure", DRAW_TEXT},
                                               {"Value", DRAW_FIGURE},
                                               {"95 %", DRAW_FIGURE},
                                               {"What it says", DRAW_TEXT}};
    const json_t *holdout = holdout_of(report);
    const json_t *folds = json_object_get(holdout, "out_of_fold");
    struct draw_table table;
    char reference[ICP_TEXT_BYTES];
    char accounts[ICP_TEXT_BYTES];
    if (!measured(out, report)) {
        return;
    }
    bool imported = strcmp(report_icp_text(holdout, "split"), "imported") == 0;
    report_icp_answer(
        out,
        "On %s%s it puts one with the outcome above one without in %.1f %% of all pairs "
        "(AUC %.3f, 95 %% interval %.3f to %.3f); its top tenth holds %.1f times as many as the "
        "average.",
        report_icp_counted(report_icp_number(holdout, "n"), "account", accounts),
        imported ? ", which it may have seen when it was trained," : " that it had not seen",
        100 * report_icp_number(holdout, "auc"), report_icp_number(holdout, "auc"),
        report_icp_number(holdout, "auc_low"), report_icp_number(holdout, "auc_high"),
        report_icp_number(holdout, "lift_top_decile"));
    (void)snprintf(reference, sizeof reference,
                   "mean squared error of p; the base rate alone has %.4f",
                   report_icp_number(holdout, "brier_reference"));
    draw_table_open(&table, out, "evidence-table", "Figures of the accounts held out", heads, 4);
    figure_row(&table, holdout, "AUC", "auc", "auc_low", "pairs that it puts in the right order");
    if (folds != NULL) {
        figure_row(&table, folds, "AUC, out of fold", "auc", "auc_low",
                   "the same of the accounts learned from, each by a model without it");
    }
    figure_row(&table, holdout, "Log loss", "log_loss", "log_loss_low",
               "mean −ln of the chance given");
    figure_row(&table, holdout, "Brier", "brier", NULL, reference);
    figure_row(&table, holdout, "ECE", "ece", "ece_low", "how far chances are off on average");
    figure_row(&table, holdout, "KS", "ks", NULL, "widest gap between the two kinds of scores");
    figure_row(&table, holdout, "Lift", "lift_top_decile", NULL, "of the top tenth");
    draw_table_close(&table);
}

static void share_label(double value, char *text, size_t text_bytes)
{
    (void)snprintf(text, text_bytes, "%.0f %%", 100 * value);
}

static size_t bins_of(const struct report_icp *report, const json_t **bins)
{
    *bins = json_object_get(holdout_of(report), "reliability");
    size_t count = json_array_size(*bins);
    return count < BINS_MAX ? count : BINS_MAX;
}

/* Two lines or dots over shares from 0 to 1. */
static void shares_draw(FILE *out, const char *title, const char *x, const char *y,
                        const struct draw_svg_series *series)
{
    draw_svg_lines(
        out, &(struct draw_svg_chart){.title = title,
                                      .x = {.title = x, .low = 0, .high = 1, .label = share_label},
                                      .y = {.title = y, .low = 0, .high = 1, .label = share_label},
                                      .series = series,
                                      .series_count = 2});
}

void report_icp_reliability(FILE *out, const struct report_icp *report)
{
    static const struct draw_column heads[] = {{"Chance given, mean", DRAW_FIGURE},
                                               {"Accounts", DRAW_FIGURE},
                                               {"Outcomes", DRAW_FIGURE},
                                               {"Rate", DRAW_FIGURE},
                                               {"95 %", DRAW_FIGURE}};
    static const double ends[] = {0, 1};
    const json_t *bins;
    size_t count = bins_of(report, &bins);
    double p[BINS_MAX];
    double rate[BINS_MAX];
    size_t within = 0;
    struct draw_table table;
    if (!measured(out, report) || count == 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *bin = json_array_get(bins, i);
        p[i] = report_icp_number(bin, "p");
        rate[i] = report_icp_number(bin, "positives") / report_icp_number(bin, "n");
        within += p[i] >= report_icp_number(bin, "rate_low") &&
                  p[i] <= report_icp_number(bin, "rate_high");
    }
    report_icp_answer(out,
                      "Chances are off by %.1f points on average; in %zu of %zu tenths the mean "
                      "chance lies within the 95 %% interval of the rate.",
                      100 * report_icp_number(holdout_of(report), "ece"), within, count);
    const struct draw_svg_series series[] = {{"as predicted", ends, ends, 2, false, NULL},
                                             {"as it came", p, rate, count, true, NULL}};
    shares_draw(out, "Rate of the outcome by the chance that was given", "chance given",
                "rate of the outcome", series);
    draw_table_open(&table, out, "reliability-table",
                    "Accounts by tenths of the chance given, and what came of them", heads, 5);
    for (size_t i = 0; i < count; i++) {
        const json_t *bin = json_array_get(bins, i);
        report_icp_figure(&table, p[i]);
        report_icp_count(&table, report_icp_number(bin, "n"));
        report_icp_count(&table, report_icp_number(bin, "positives"));
        report_icp_rate(&table, report_icp_number(bin, "positives"), report_icp_number(bin, "n"));
        report_icp_interval(&table, report_icp_number(bin, "rate_low"),
                            report_icp_number(bin, "rate_high"));
    }
    draw_table_close(&table);
}

void report_icp_gains(FILE *out, const struct report_icp *report)
{
    static const struct draw_column heads[] = {{"Best accounts", DRAW_FIGURE},
                                               {"of all", DRAW_FIGURE},
                                               {"Outcomes among them", DRAW_FIGURE},
                                               {"of all", DRAW_FIGURE},
                                               {"Lift", DRAW_FIGURE}};
    static const double ends[] = {0, 1};
    const json_t *holdout = holdout_of(report);
    const json_t *bins;
    size_t count = bins_of(report, &bins);
    double x[BINS_MAX + 1] = {0};
    double y[BINS_MAX + 1] = {0};
    double n = report_icp_number(holdout, "n");
    double positives = report_icp_number(holdout, "positives");
    size_t half = 0;
    struct draw_table table;
    if (!measured(out, report) || count == 0 || positives <= 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) { /* the highest chances first */
        const json_t *bin = json_array_get(bins, count - 1 - i);
        x[i + 1] = x[i] + report_icp_number(bin, "n") / n;
        y[i + 1] = y[i] + report_icp_number(bin, "positives") / positives;
        half = half == 0 && y[i + 1] >= 0.5 ? i + 1 : half;
    }
    half = half == 0 ? count : half;
    report_icp_answer(out, "The best %.0f %% of the accounts hold %.0f %% of the outcomes.",
                      100 * x[half], 100 * y[half]);
    const struct draw_svg_series series[] = {{"drawn at random", ends, ends, 2, false, NULL},
                                             {"by this version", x, y, count + 1, false, NULL}};
    shares_draw(out, "Share of the outcomes among the best accounts", "share of the accounts",
                "share of the outcomes", series);
    draw_table_open(&table, out, "gains-table", "Outcomes among the best, by tenths of the chance",
                    heads, 5);
    for (size_t i = 1; i <= count; i++) {
        report_icp_count(&table, round(x[i] * n));
        report_icp_rate(&table, x[i], 1);
        report_icp_count(&table, round(y[i] * positives));
        report_icp_rate(&table, y[i], 1);
        report_icp_figure(&table, y[i] / x[i]);
    }
    draw_table_close(&table);
}

void report_icp_grades(FILE *out, const struct report_icp *report)
{
    static const struct draw_column heads[] = {{"Grade", DRAW_TEXT},
                                               {"Accounts", DRAW_FIGURE},
                                               {"Outcomes", DRAW_FIGURE},
                                               {"Rate", DRAW_FIGURE},
                                               {"95 %", DRAW_FIGURE}};
    const json_t *grades = json_object_get(holdout_of(report), "grades");
    struct draw_row rows[BINS_MAX];
    char figures[BINS_MAX][ICP_TEXT_BYTES];
    char n_text[32];
    struct draw_table table;
    size_t count = json_array_size(grades) < BINS_MAX ? json_array_size(grades) : BINS_MAX;
    double most = 0;
    if (!measured(out, report) || count == 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *grade = json_array_get(grades, i);
        double n = report_icp_number(grade, "n");
        double rate = n > 0 ? report_icp_number(grade, "positives") / n : (double)NAN;
        draw_number_grouped((int64_t)n, 0, 0, n_text, sizeof n_text);
        (void)snprintf(figures[i], sizeof figures[i], "%.1f %%, n = %s", 100 * rate, n_text);
        rows[i] =
            (struct draw_row){.name = report_icp_text(grade, "grade"),
                              .figure = n > 0 ? figures[i] : "no account",
                              .from = 0,
                              .to = rate,
                              .low = n > 0 ? report_icp_number(grade, "rate_low") : (double)NAN,
                              .high = n > 0 ? report_icp_number(grade, "rate_high") : (double)NAN,
                              .tone = DRAW_UP};
        most = fmax(most, n > 0 ? report_icp_number(grade, "rate_high") : 0);
    }
    report_icp_answer(out, "Of grade %s accounts %s had the outcome, of grade %s %s.", rows[0].name,
                      rows[0].figure, rows[count - 1].name, rows[count - 1].figure);
    draw_rows(out, &(struct draw_rows){.id = "grades-picture",
                                       .table = "grades-table",
                                       .caption = "Rate of the outcome by grade, with intervals",
                                       .sentence = "A bar for each grade; figures in the table",
                                       .rows = rows,
                                       .count = count,
                                       .least = 0,
                                       .most = most,
                                       .mark = (double)NAN});
    draw_table_open(&table, out, "grades-table", "What came of accounts of each grade", heads, 5);
    for (size_t i = 0; i < count; i++) {
        const json_t *grade = json_array_get(grades, i);
        draw_table_cell(&table, report_icp_text(grade, "grade"));
        report_icp_count(&table, report_icp_number(grade, "n"));
        report_icp_count(&table, report_icp_number(grade, "positives"));
        report_icp_rate(&table, report_icp_number(grade, "positives"),
                        report_icp_number(grade, "n"));
        report_icp_interval(&table, report_icp_number(grade, "rate_low"),
                            report_icp_number(grade, "rate_high"));
    }
    draw_table_close(&table);
}
