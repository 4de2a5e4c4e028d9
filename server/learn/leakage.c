/* SPDX-License-Identifier: Apache-2.0 */
#include "server/learn/leakage.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/learn/boost.h"
#include "server/math/auc.h"
#include "server/math/order.h"
#include "server/math/portable.h"

/* Rows of the average that each bin is given beside its own, so that a bin of one row proves
 * nothing. */
#define PRIOR_ROWS 5.0
#define NUMBERED_PAIRS_MIN 20.0
#define CERTAIN_WIN 0.9
#define CERTAIN_LOSS 0.05

/* Rows and positives of each bin of one column, by fold. */
struct bin_counts {
    double rows[LEARN_FOLDS_MAX + 1][PROTO_BINS_MAX + 1]; /* the last: all folds */
    double positives[LEARN_FOLDS_MAX + 1][PROTO_BINS_MAX + 1];
};

static void counts_collect(const struct learn_grid *grid, size_t column, const uint8_t *folds,
                           unsigned fold_count, struct bin_counts *counts)
{
    const uint8_t *codes = learn_grid_column(grid, column);
    memset(counts, 0, sizeof *counts);
    for (size_t i = 0; i < grid->rows; i++) {
        counts->rows[folds[i]][codes[i]] += 1.0;
        counts->positives[folds[i]][codes[i]] += grid->labels[i];
    }
    for (unsigned k = 0; k < fold_count; k++) {
        for (size_t b = 0; b < grid->bins[column]; b++) {
            counts->rows[fold_count][b] += counts->rows[k][b];
            counts->positives[fold_count][b] += counts->positives[k][b];
        }
    }
}

/* Rate of each row's bin, from the other folds. Returns the share of deviance that it explains. */
static double rates_cross_fit(const struct learn_grid *grid, size_t column, const uint8_t *folds,
                              unsigned fold_count, const struct bin_counts *counts, double *rates)
{
    const uint8_t *codes = learn_grid_column(grid, column);
    double base = (double)learn_grid_positives(grid) / (double)grid->rows;
    double deviance = 0.0;
    for (size_t i = 0; i < grid->rows; i++) {
        uint8_t b = codes[i];
        double rows = counts->rows[fold_count][b] - counts->rows[folds[i]][b];
        double positives = counts->positives[fold_count][b] - counts->positives[folds[i]][b];
        rates[i] = (positives + PRIOR_ROWS * base) / (rows + PRIOR_ROWS);
        deviance -= math_log(grid->labels[i] != 0 ? rates[i] : 1.0 - rates[i]);
    }
    double entropy = -(base * math_log(base) + (1.0 - base) * math_log(1.0 - base));
    return 1.0 - deviance / ((double)grid->rows * entropy);
}

static void certain_shares(const struct learn_grid *grid, size_t column, unsigned fold_count,
                           const struct bin_counts *counts, struct learn_field_report *report)
{
    double wins = 0.0;
    double losses = 0.0;
    for (size_t b = 0; b < grid->bins[column]; b++) {
        double rows = counts->rows[fold_count][b];
        double positives = counts->positives[fold_count][b];
        if (rows >= LEARN_LEAK_BIN_ROWS && positives >= CERTAIN_WIN * rows) {
            wins += positives;
        }
        if (rows >= LEARN_LEAK_BIN_ROWS && positives <= CERTAIN_LOSS * rows) {
            losses += rows - positives;
        }
    }
    double all = (double)learn_grid_positives(grid);
    report->positives_certain = wins / all;
    report->negatives_certain = losses / ((double)grid->rows - all);
}

static bool column_is_constant(const struct learn_grid *grid, size_t column)
{
    const uint8_t *codes = learn_grid_column(grid, column);
    for (size_t i = 1; i < grid->rows; i++) {
        if (codes[i] != codes[0]) {
            return false;
        }
    }
    return true;
}

static bool column_measure(const struct learn_grid *grid, size_t column, const uint8_t *folds,
                           unsigned fold_count, double *rates, struct learn_field_report *report)
{
    struct bin_counts *counts = malloc(sizeof *counts);
    uint32_t *order = NULL;
    struct math_auc auc;
    bool ok = counts != NULL;
    if (ok) {
        counts_collect(grid, column, folds, fold_count, counts);
        report->explained = rates_cross_fit(grid, column, folds, fold_count, counts, rates);
        certain_shares(grid, column, fold_count, counts, report);
        order = math_order_create(rates, grid->rows);
        ok = order != NULL && math_auc(rates, grid->labels, order, grid->rows, &auc);
    }
    if (ok) {
        report->auc = auc.auc;
        report->auc_low = auc.low;
        report->auc_high = auc.high;
    }
    free(order);
    free(counts);
    return ok;
}

static enum learn_verdict verdict_of(const struct learn_field_report *report,
                                     const struct feature_column *column)
{
    if (report->auc_low >= LEARN_LEAK_AUC) {
        return LEARN_FIELD_LEAK_STRONG;
    }
    if (column->type != FEATURE_NUMBER && report->explained >= LEARN_LEAK_EXPLAINED &&
        report->positives_certain >= LEARN_LEAK_SHARE &&
        report->negatives_certain >= LEARN_LEAK_SHARE) {
        return LEARN_FIELD_LEAK_DECIDES;
    }
    return report->explained >= LEARN_WARN_EXPLAINED ? LEARN_FIELD_WARNED : LEARN_FIELD_USED;
}

/* A text field none of whose values has enough support has the two bins "missing" and "rare" alone.
 */
static bool column_is_identifier(const struct learn_grid *grid, size_t column,
                                 const struct feature_column *described)
{
    const uint8_t *codes = learn_grid_column(grid, column);
    size_t rare = 0;
    for (size_t i = 0; i < grid->rows; i++) {
        rare += codes[i] == 1;
    }
    return described->type == FEATURE_CATEGORY && described->bin_count == 2 &&
           2 * rare >= grid->rows;
}

static bool field_check(const struct learn_grid *grid, const struct feature_codebook *codebook,
                        const uint8_t *folds, unsigned fold_count, size_t column, double *rates,
                        struct learn_field_report *report)
{
    const struct feature_column *described = &codebook->columns[column];
    struct learn_field_report mine = {.field_id = described->field_id,
                                      .name = described->field_name};
    if (column_is_identifier(grid, column, described)) {
        mine.verdict = LEARN_FIELD_IDENTIFIER;
        mine.auc = 0.5;
    } else if (column_is_constant(grid, column)) {
        mine.verdict = LEARN_FIELD_CONSTANT;
        mine.auc = 0.5;
    } else if (column_measure(grid, column, folds, fold_count, rates, &mine)) {
        mine.verdict = verdict_of(&mine, described);
    } else {
        return false;
    }
    /* A field of several columns (tags) is judged by its strongest one. */
    bool first = report->name == NULL;
    if (first || report->verdict == LEARN_FIELD_CONSTANT ||
        (mine.verdict != LEARN_FIELD_CONSTANT && mine.auc > report->auc)) {
        *report = mine;
    }
    return true;
}

bool learn_leakage_check(const struct learn_grid *grid, const struct feature_codebook *codebook,
                         const uint8_t *folds, unsigned fold_count,
                         struct learn_field_report *reports, size_t *count,
                         struct proto_fault *fault)
{
    double *rates = malloc((grid->rows + 1) * sizeof *rates);
    bool ok = rates != NULL;
    *count = 0;
    for (size_t c = 0; ok && c < grid->columns; c++) {
        bool same_field =
            c > 0 && codebook->columns[c].field_id == codebook->columns[c - 1].field_id;
        if (!same_field) {
            reports[(*count)++] = (struct learn_field_report){0};
        }
        ok = field_check(grid, codebook, folds, fold_count, c, rates, &reports[*count - 1]);
    }
    free(rates);
    return ok || proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to check the fields");
}

static int number_order(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

bool learn_leakage_numbered(double *numbers, size_t count)
{
    if (count < 2) {
        return false;
    }
    qsort(numbers, count, sizeof *numbers, number_order);
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] != floor(numbers[i]) || (i > 0 && numbers[i] == numbers[i - 1])) {
            return false;
        }
    }
    double range = numbers[count - 1] - numbers[0] + 1.0;
    return (double)count * (double)count >= 2.0 * NUMBERED_PAIRS_MIN * range;
}

void learn_leakage_reason(const struct learn_field_report *report, char *text, size_t text_bytes)
{
    switch (report->verdict) {
    case LEARN_FIELD_USED:
        (void)snprintf(text, text_bytes, "used");
        break;
    case LEARN_FIELD_WARNED:
        (void)snprintf(text, text_bytes,
                       "strong for a single field: it explains %.0f %% of the outcome alone (AUC "
                       "%.3f); make sure that it is known before the outcome",
                       100.0 * report->explained, report->auc);
        break;
    case LEARN_FIELD_LEAK_STRONG:
        (void)snprintf(
            text, text_bytes,
            "suspected leak: alone it orders outcomes with AUC %.3f (95 %% interval %.3f "
            "to %.3f, bound %.2f), which a field known beforehand hardly ever does; it "
            "was probably filled in after the outcome",
            report->auc, report->auc_low, report->auc_high, LEARN_LEAK_AUC);
        break;
    case LEARN_FIELD_LEAK_DECIDES:
        (void)snprintf(text, text_bytes,
                       "suspected leak: its values decide both ways (%.0f %% of the positives have "
                       "values that nearly always win, %.0f %% of the negatives values that nearly "
                       "always lose; alone it explains %.0f %% of the outcome); it was probably "
                       "filled in after the outcome",
                       100.0 * report->positives_certain, 100.0 * report->negatives_certain,
                       100.0 * report->explained);
        break;
    case LEARN_FIELD_IDENTIFIER:
        (void)snprintf(text, text_bytes, "an identifier: its values hardly ever repeat");
        break;
    case LEARN_FIELD_CONSTANT:
        (void)snprintf(text, text_bytes, "it says nothing: all rows have the same value");
        break;
    }
}

bool learn_verdict_refuses(enum learn_verdict verdict, bool keep_leaks)
{
    bool leak = verdict == LEARN_FIELD_LEAK_STRONG || verdict == LEARN_FIELD_LEAK_DECIDES;
    return leak ? !keep_leaks
                : verdict == LEARN_FIELD_IDENTIFIER || verdict == LEARN_FIELD_CONSTANT;
}
