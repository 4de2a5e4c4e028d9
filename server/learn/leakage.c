/* SPDX-License-Identifier: Apache-2.0 */
/* One column after another: rows and positives by bin and fold, cross-fitted rates from them, what
 * they explain and in what order they put the rows, and where one outcome rules; the worst that a
 * column of a field says is the field's verdict. */
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
/* A bin with this share of the rows is what a field has where nobody filled it in. */
#define USUAL_SHARE 0.4

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

/* Rate of each row's bin, from the other folds, and the share of deviance that it explains. */
static void rates_cross_fit(const struct learn_grid *grid, size_t column, const uint8_t *folds,
                            unsigned fold_count, const struct bin_counts *counts, double *rates,
                            struct learn_field_report *report)
{
    const uint8_t *codes = learn_grid_column(grid, column);
    double base = (double)learn_grid_positives(grid) / (double)grid->rows;
    double n = (double)grid->rows;
    double deviance = 0.0;
    double squares = 0.0;
    for (size_t i = 0; i < grid->rows; i++) {
        uint8_t b = codes[i];
        double rows = counts->rows[fold_count][b] - counts->rows[folds[i]][b];
        double positives = counts->positives[fold_count][b] - counts->positives[folds[i]][b];
        rates[i] = (positives + PRIOR_ROWS * base) / (rows + PRIOR_ROWS);
        double loss = -math_log(grid->labels[i] != 0 ? rates[i] : 1.0 - rates[i]);
        double gain = loss + math_log(grid->labels[i] != 0 ? base : 1.0 - base);
        deviance += loss;
        squares += gain * gain;
    }
    double entropy = -(base * math_log(base) + (1.0 - base) * math_log(1.0 - base));
    double gain = deviance / n - entropy;
    double variance = fmax(squares / n - gain * gain, 0.0);
    report->explained = 1.0 - deviance / (n * entropy);
    report->explained_low = report->explained - MATH_Z_95 * sqrt(variance / n) / entropy;
}

/* True if one outcome rules among these rows, beyond what their number and the base rate make. */
static bool is_one_sided(double rows, double positives, double all_rows, double all_positives)
{
    return rows >= LEARN_LEAK_SIDE_ROWS &&
           fmin(positives, rows - positives) <= LEARN_LEAK_OTHERS * rows &&
           learn_leakage_odds_low(rows, positives, all_rows, all_positives) >=
               math_log(LEARN_LEAK_ODDS);
}

/* All rows of a column, and some of them. */
struct side_counts {
    double all_rows, all_positives;
    double rows, positives;
};

/* Takes the rows, or the others, if one outcome rules there. */
static bool side_take(const struct side_counts *counts, bool others, struct learn_one_side *side)
{
    double rows = others ? counts->all_rows - counts->rows : counts->rows;
    double positives = others ? counts->all_positives - counts->positives : counts->positives;
    if (!is_one_sided(rows, positives, counts->all_rows, counts->all_positives)) {
        return false;
    }
    side->positives = (size_t)positives;
    side->negatives = (size_t)(rows - positives);
    return true;
}

/* Where the field is filled in or not, or has its usual value or not. That a
 * list lacks a tag is too usual to tell; a tag is a value (value_find). */
static bool presence_find(const struct learn_grid *grid, const struct feature_column *column,
                          const struct bin_counts *counts, unsigned folds, size_t c,
                          struct learn_one_side *side)
{
    const double *rows = counts->rows[folds];
    struct side_counts split = {(double)grid->rows, (double)learn_grid_positives(grid), 0.0, 0.0};
    for (size_t b = 0; b < grid->bins[c]; b++) {
        bool usual =
            b > 0 && column->type != FEATURE_TAGS && rows[b] >= USUAL_SHARE * split.all_rows;
        split.rows = rows[b];
        split.positives = counts->positives[folds][b];
        if ((b > 0 && !usual) || rows[b] == 0.0) {
            continue;
        }
        for (unsigned others = 0; others < 2; others++) {
            if (!side_take(&split, others == 1, side)) {
                continue;
            }
            char text[LEARN_SIDE_BYTES / 2];
            feature_bin_text(column, (uint8_t)b, text, sizeof text);
            (void)snprintf(side->where, sizeof side->where, "%s%s%s",
                           b == 0 ? (others == 1 ? "filled in" : "missing")
                                  : (others == 1 ? "not '" : "'"),
                           b == 0 ? "" : text, b == 0 ? "" : "'");
            return true;
        }
    }
    return false;
}

/* The value with most rows of those where one outcome rules. */
static void value_find(const struct learn_grid *grid, const struct feature_column *column,
                       const struct bin_counts *counts, unsigned folds, size_t c,
                       struct learn_one_side *side)
{
    struct side_counts split = {(double)grid->rows, (double)learn_grid_positives(grid), 0.0, 0.0};
    for (size_t b = 1; column->type != FEATURE_NUMBER && b < grid->bins[c]; b++) {
        split.rows = counts->rows[folds][b];
        split.positives = counts->positives[folds][b];
        if (split.rows > (double)(side->positives + side->negatives) &&
            side_take(&split, false, side)) {
            char text[LEARN_SIDE_BYTES - 2];
            feature_bin_text(column, (uint8_t)b, text, sizeof text);
            (void)snprintf(side->where, sizeof side->where, "'%s'", text);
        }
    }
}

static void certain_shares(const struct learn_grid *grid, size_t column, unsigned fold_count,
                           const struct bin_counts *counts, struct learn_field_report *report)
{
    double wins = 0.0;
    double losses = 0.0;
    for (size_t b = 0; b < grid->bins[column]; b++) {
        double rows = counts->rows[fold_count][b];
        double positives = counts->positives[fold_count][b];
        if (rows >= LEARN_LEAK_BIN_ROWS && positives >= LEARN_LEAK_WIN * rows) {
            wins += positives;
        }
        if (rows >= LEARN_LEAK_BIN_ROWS && positives <= LEARN_LEAK_LOSS * rows) {
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

static bool column_measure(const struct learn_grid *grid, const struct feature_column *described,
                           size_t column, const uint8_t *folds, unsigned fold_count, double *rates,
                           struct learn_field_report *report)
{
    struct bin_counts *counts = malloc(sizeof *counts);
    uint32_t *order = NULL;
    struct math_auc auc;
    bool ok = counts != NULL;
    if (ok) {
        counts_collect(grid, column, folds, fold_count, counts);
        rates_cross_fit(grid, column, folds, fold_count, counts, rates, report);
        certain_shares(grid, column, fold_count, counts, report);
        if (presence_find(grid, described, counts, fold_count, column, &report->side)) {
            report->verdict = LEARN_FIELD_LEAK_PRESENCE;
        } else {
            value_find(grid, described, counts, fold_count, column, &report->side);
        }
        if (described->type != FEATURE_NUMBER && report->verdict == LEARN_FIELD_USED &&
            learn_leakage_sorts(counts->rows[fold_count], counts->positives[fold_count],
                                grid->bins[column], (double)grid->rows,
                                (double)learn_grid_positives(grid), &report->sorted)) {
            report->verdict = LEARN_FIELD_LEAK_SORTS;
        }
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
    if (report->verdict == LEARN_FIELD_LEAK_PRESENCE) {
        return report->verdict;
    }
    if (column->type != FEATURE_NUMBER && report->explained >= LEARN_LEAK_EXPLAINED &&
        report->positives_certain >= LEARN_LEAK_SHARE &&
        report->negatives_certain >= LEARN_LEAK_SHARE) {
        return LEARN_FIELD_LEAK_DECIDES;
    }
    if (report->explained_low >= LEARN_LEAK_COPY) {
        return LEARN_FIELD_LEAK_COPY;
    }
    if (report->verdict == LEARN_FIELD_LEAK_SORTS) {
        return report->verdict;
    }
    bool one_sided = report->side.positives + report->side.negatives > 0;
    return one_sided || report->explained >= LEARN_WARN_EXPLAINED ? LEARN_FIELD_WARNED
                                                                  : LEARN_FIELD_USED;
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

static int severity(enum learn_verdict verdict)
{
    bool says_nothing = verdict == LEARN_FIELD_CONSTANT || verdict == LEARN_FIELD_IDENTIFIER;
    return learn_verdict_is_leak(verdict)  ? 3
           : verdict == LEARN_FIELD_WARNED ? 2
           : says_nothing                  ? 0
                                           : 1;
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
    } else if (column_measure(grid, described, column, folds, fold_count, rates, &mine)) {
        mine.verdict = verdict_of(&mine, described);
    } else {
        return false;
    }
    /* A field of several columns (tags) is judged by its worst one, then by its strongest. */
    int worse = severity(mine.verdict) - severity(report->verdict);
    if (report->name == NULL || worse > 0 || (worse == 0 && mine.auc > report->auc)) {
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
