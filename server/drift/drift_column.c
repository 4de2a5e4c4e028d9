/* SPDX-License-Identifier: Apache-2.0 */
/* Of each column that the version counted (learn/support.h): where accounts lie now against where
 * they lay, and how well its points alone order outcomes now against then. Bins with too few
 * accounts to compare are put together with their neighbours, those of categories with each other.
 * A version without counts has no columns here. */
#include <math.h>
#include <stdlib.h>

#include "server/drift/drift_row.h"
#include "server/math/chi_square.h"
#include "server/math/special.h"

#define ALPHA 0.05
#define EXPECTED_MIN 5.0 /* accounts of a cell now, if nothing changed */
#define NUMBER_SHARE 0.1 /* of a cell of a number: some ten cells */

enum { CELLS_MAX = 256 };

/* One column: of each bin the points, and accounts with and without the outcome. */
struct binned {
    const struct feature_column *column;
    const int32_t *points;
    unsigned bins;
    double then[CELLS_MAX], then_positives[CELLS_MAX];
    double now[CELLS_MAX], now_settled[CELLS_MAX], now_positives[CELLS_MAX];
    double then_all, now_all;
};

struct cells {
    unsigned of[CELLS_MAX]; /* by bin */
    unsigned first[CELLS_MAX], last[CELLS_MAX];
    double then[CELLS_MAX], now[CELLS_MAX];
    unsigned count;
};

/* AUC of the points by bins, with DeLong's variance: what each outcome is worth against all of the
 * other side. */
static struct drift_figure auc_of(const struct binned *binned, const double *all,
                                  const double *positives, double z)
{
    struct drift_figure figure = {0.5, 0, 1};
    double p = 0;
    double n = 0;
    double sum = 0;
    double square_p = 0;
    double square_n = 0;
    for (unsigned b = 0; b < binned->bins; b++) {
        p += positives[b];
        n += all[b] - positives[b];
    }
    if (p < 2 || n < 2) {
        return figure;
    }
    for (unsigned b = 0; b < binned->bins; b++) {
        double below = 0; /* of the other side, as shares of it */
        double above = 0;
        for (unsigned c = 0; c < binned->bins; c++) {
            double negatives = all[c] - positives[c];
            int order =
                (binned->points[b] > binned->points[c]) - (binned->points[b] < binned->points[c]);
            below += negatives * (order + 1) / 2.0;
            above += positives[c] * (1 - order) / 2.0;
        }
        below /= n;
        above /= p;
        sum += positives[b] * below;
        square_p += positives[b] * below * below;
        square_n += (all[b] - positives[b]) * above * above;
    }
    double auc = sum / p;
    double variance = (square_p / p - auc * auc) / (p - 1) + (square_n / n - auc * auc) / (n - 1);
    double error = variance > 0 ? sqrt(variance) : 0;
    return (struct drift_figure){auc, auc - z * error, auc + z * error};
}

static void cell_begin(struct cells *cells, unsigned bin)
{
    cells->first[cells->count++] = bin;
}

static void bin_put(struct cells *cells, const struct binned *binned, unsigned bin, unsigned cell)
{
    cells->of[bin] = cell;
    cells->last[cell] = bin;
    cells->then[cell] += binned->then[bin];
    cells->now[cell] += binned->now[bin];
}

static double expected(const struct binned *binned, double then)
{
    return then / binned->then_all * binned->now_all;
}

/* Missing is a cell; numbers fill one after another; a category that is large enough has its own,
 * and all others share the last. */
static void cells_make(const struct binned *binned, struct cells *cells)
{
    bool number = binned->column->edges != NULL || feature_type_is_number(binned->column->type);
    unsigned rest = UINT32_MAX;
    *cells = (struct cells){.count = 0};
    for (unsigned bin = 0; bin < binned->bins; bin++) {
        unsigned open = cells->count - 1; /* of no matter for the first */
        bool large = expected(binned, binned->then[bin]) >= EXPECTED_MIN;
        bool full = bin < 2 || (expected(binned, cells->then[open]) >= EXPECTED_MIN &&
                                cells->then[open] >= NUMBER_SHARE * binned->then_all);
        if (bin == 0 || (number && full) || (!number && large)) {
            cell_begin(cells, bin);
            bin_put(cells, binned, bin, cells->count - 1);
        } else if (number) {
            bin_put(cells, binned, bin, open);
        } else {
            if (rest == UINT32_MAX) {
                rest = cells->count;
                cell_begin(cells, bin);
            }
            bin_put(cells, binned, bin, rest);
        }
    }
}

/* The bin in words; of several that lie together the ends of a number, or that they are others. */
static void cell_words(const struct feature_column *column, const struct cells *cells,
                       unsigned cell, char *text, size_t bytes)
{
    unsigned first = cells->first[cell];
    unsigned last = cells->last[cell];
    if (first == last) {
        feature_bin_text(column, (uint8_t)first, text, bytes);
    } else if (!column->edges || first == 0) {
        (void)snprintf(text, bytes, "rare or unseen");
    } else if (first == 1 && last + 1 < column->bin_count) {
        (void)snprintf(text, bytes, "x ≤ %.6g", column->edges[last - 1]);
    } else if (first == 1) {
        (void)snprintf(text, bytes, "any value");
    } else if (last + 1 < column->bin_count) {
        (void)snprintf(text, bytes, "%.6g < x ≤ %.6g", column->edges[first - 2],
                       column->edges[last - 1]);
    } else {
        (void)snprintf(text, bytes, "x > %.6g", column->edges[first - 2]);
    }
}

static void shift_measure(const struct binned *binned, double apart, double level,
                          struct drift_column *out)
{
    struct cells cells;
    double most = -1;
    cells_make(binned, &cells);
    for (unsigned cell = 0; cell < cells.count; cell++) {
        double half = cells.count / 2.0;
        double then = (cells.then[cell] + 0.5) / (binned->then_all + half);
        double now = (cells.now[cell] + 0.5) / (binned->now_all + half);
        double part = (now - then) * log(now / then);
        out->psi += part;
        if (part > most) {
            most = part;
            out->share_then = cells.then[cell] / binned->then_all;
            out->share_now = cells.now[cell] / binned->now_all;
            cell_words(binned->column, &cells, cell, out->bin, sizeof out->bin);
        }
    }
    double weight = apart * (1 / binned->then_all + 1 / binned->now_all);
    if (cells.count > 1) {
        out->limit = weight * math_chi_square_point(cells.count - 1, 1 - level);
    }
}

static void bins_count(const struct drift_rows *rows, uint16_t column, struct binned *binned)
{
    for (size_t i = 0; i < rows->count; i++) {
        uint8_t code = rows->codes[i * rows->stride + column];
        binned->now[code] += 1;
        if (i < rows->settled) {
            binned->now_settled[code] += 1;
            binned->now_positives[code] += rows->labels[i];
        }
    }
    binned->now_all = (double)rows->count;
}

static void bins_then(const struct learn_support *support, uint32_t offset, struct binned *binned)
{
    for (unsigned b = 0; b < binned->bins; b++) {
        binned->then[b] = support->rows[offset + b];
        binned->then_positives[b] = support->positives[offset + b];
        binned->then_all += binned->then[b];
    }
}

static bool measured(const struct learn_document *document, size_t t)
{
    const struct model_term *term = &document->scorecard->terms[t];
    return term->column_b == MODEL_NO_COLUMN && document->support->known[t];
}

static double beyond(const struct drift_column *column)
{
    return column->limit > 0 ? column->psi / column->limit : 0;
}

static int by_shift(const void *a, const void *b)
{
    const struct drift_column *x = a;
    const struct drift_column *y = b;
    double p = beyond(x);
    double q = beyond(y);
    return p != q ? (p > q ? -1 : 1) : strcmp(x->field, y->field);
}

static void column_measure(const struct drift_rows *rows, const struct drift_result *result,
                           size_t t, size_t of, struct drift_column *out)
{
    const struct learn_document *document = result->document;
    const struct model_term *term = &document->scorecard->terms[t];
    const struct feature_column *column = &document->codebook->columns[term->column_a];
    struct binned binned = {.column = column,
                            .points = &document->scorecard->tables[term->table_offset],
                            .bins = term->bins_a};
    /* Rows of one account are not independent: they count as the accounts that they are of. */
    double apart = (double)rows->count / (double)rows->group_count;
    double level = ALPHA / (double)of;
    double z = math_normal_point(1 - level / 2);
    bins_count(rows, term->column_a, &binned);
    bins_then(document->support, term->table_offset, &binned);
    *out = (struct drift_column){.field = column->field_name, .tag = column->tag};
    if (binned.then_all > 0) {
        shift_measure(&binned, apart, level, out);
    }
    out->auc_then = auc_of(&binned, binned.then, binned.then_positives, z);
    out->auc_now = auc_of(&binned, binned.now_settled, binned.now_positives, z * sqrt(apart));
    out->lost = out->auc_now.high < out->auc_then.low;
}

bool drift_columns_measure(const struct drift_rows *rows, struct drift_result *result,
                           struct proto_fault *fault)
{
    const struct learn_document *document = result->document;
    size_t count = 0;
    if (!document->support || rows->count == 0) {
        return true;
    }
    for (size_t t = 0; t < document->scorecard->term_count; t++) {
        count += measured(document, t);
    }
    result->columns = calloc(count + 1, sizeof *result->columns);
    if (!result->columns) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu columns", count);
    }
    for (size_t t = 0; t < document->scorecard->term_count; t++) {
        if (measured(document, t)) {
            column_measure(rows, result, t, count, &result->columns[result->column_count++]);
        }
    }
    qsort(result->columns, result->column_count, sizeof *result->columns, by_shift);
    return true;
}
