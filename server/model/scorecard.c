/* SPDX-License-Identifier: Apache-2.0 */
#include "server/model/scorecard.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

struct model_scorecard *model_create(size_t term_count, size_t table_count)
{
    if (term_count > MODEL_TERMS_MAX || table_count > MODEL_TABLE_ENTRIES_MAX) {
        return NULL;
    }
    struct model_scorecard *scorecard = calloc(1, sizeof *scorecard);
    if (scorecard == NULL) {
        return NULL;
    }
    scorecard->term_count = term_count;
    scorecard->table_count = table_count;
    scorecard->terms = calloc(term_count + 1, sizeof *scorecard->terms);
    /* Zeros behind the tables: where columns without a term point, and out-of-range codes end. */
    scorecard->tables = calloc(table_count + 256, sizeof *scorecard->tables);
    scorecard->lows = calloc(term_count + 1, sizeof *scorecard->lows);
    scorecard->highs = calloc(term_count + 1, sizeof *scorecard->highs);
    if (scorecard->terms == NULL || scorecard->tables == NULL || scorecard->lows == NULL ||
        scorecard->highs == NULL) {
        model_destroy(scorecard);
        return NULL;
    }
    return scorecard;
}

void model_destroy(struct model_scorecard *scorecard)
{
    if (scorecard != NULL) {
        model_trees_destroy(scorecard->trees);
        free(scorecard->offsets);
        free(scorecard->highs);
        free(scorecard->lows);
        free(scorecard->tables);
        free(scorecard->terms);
        free(scorecard);
    }
}

static size_t term_index(const struct model_term *term, const uint8_t *row)
{
    size_t index = row[term->column_a];
    if (term->column_b != MODEL_NO_COLUMN) {
        index = index * term->bins_b + row[term->column_b];
    }
    return term->table_offset + index;
}

int64_t model_raw(const struct model_scorecard *scorecard, const uint8_t *row)
{
    assert(scorecard->kernel != NULL); /* sealed */
    if (scorecard->trees != NULL) {
        return model_trees_raw(scorecard->trees, row);
    }
    int64_t raw =
        scorecard->intercept +
        scorecard->kernel->sum(scorecard->tables, scorecard->offsets, scorecard->offset_count, row);
    for (size_t t = scorecard->walked; t < scorecard->term_count; t++) {
        raw += scorecard->tables[term_index(&scorecard->terms[t], row)];
    }
    return raw;
}

void model_raw_many(const struct model_scorecard *scorecard, const uint8_t *rows, size_t stride,
                    size_t count, int64_t *raw)
{
    if (scorecard->trees != NULL) {
        model_trees_raw_many(scorecard->trees, rows, stride, count, raw);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        raw[i] = model_raw(scorecard, rows + i * stride);
    }
}

void model_contributions(const struct model_scorecard *scorecard, const uint8_t *row,
                         int32_t *contributions)
{
    if (scorecard->trees != NULL) {
        model_trees_contributions(scorecard->trees, row, scorecard->intercept, contributions);
        return;
    }
    for (size_t t = 0; t < scorecard->term_count; t++) {
        contributions[t] = scorecard->tables[term_index(&scorecard->terms[t], row)];
    }
}

/* Adds to moves[code] how far the entry of a term goes if the column had that code. */
static void term_moved(const struct model_scorecard *scorecard, const struct model_term *term,
                       const uint8_t *row, uint16_t column, size_t bins, int64_t *moves)
{
    const int32_t *table = scorecard->tables + term->table_offset;
    bool first = term->column_a == column;
    bool pair = term->column_b != MODEL_NO_COLUMN;
    size_t at = !pair   ? 0
                : first ? row[term->column_b]
                        : (size_t)row[term->column_a] * term->bins_b;
    size_t step = first ? term->bins_b : 1;
    int64_t now = table[at + row[column] * step];
    for (size_t code = 0; code < bins; code++) {
        moves[code] += table[at + code * step] - now;
    }
}

void model_moved(const struct model_scorecard *scorecard, const uint8_t *row, uint16_t column,
                 size_t bins, int64_t *raws)
{
    if (scorecard->trees != NULL) {
        model_trees_moved(scorecard->trees, row, column, bins, raws);
        return;
    }
    int64_t raw = model_raw(scorecard, row);
    for (size_t code = 0; code < bins; code++) {
        raws[code] = raw;
    }
    for (size_t t = 0; t < scorecard->term_count; t++) {
        const struct model_term *term = &scorecard->terms[t];
        if (term->column_a == column || term->column_b == column) {
            term_moved(scorecard, term, row, column, bins, raws);
        }
    }
}

double model_p(const struct model_scorecard *scorecard, int64_t raw)
{
    if (scorecard->trees != NULL && scorecard->trees->logistic) {
        return 1.0 / (1.0 + exp(-1e-6 * (double)raw));
    }
    const int64_t *x = scorecard->calibration_raw;
    const double *p = scorecard->calibration_p;
    size_t count = scorecard->calibration_count;
    size_t at = model_guide_find(&scorecard->calibration_guide, x, count, raw);
    if (at == count) {
        return p[0];
    }
    if (at + 1 == count) {
        return p[at];
    }
    double share = (double)(raw - x[at]) / (double)(x[at + 1] - x[at]);
    return p[at] + share * (p[at + 1] - p[at]);
}

double model_fit(const struct model_scorecard *scorecard, int64_t raw)
{
    const int64_t *points = scorecard->reference;
    const struct model_guide *guide = &scorecard->reference_guide;
    size_t last = model_guide_find(guide, points, MODEL_REFERENCE_POINTS, raw);
    if (last == MODEL_REFERENCE_POINTS) {
        return 0.0;
    }
    double rank = (double)last;
    if (points[last] == raw) {
        /* Mid-rank: accounts that tie share the middle of the places that they take up. */
        size_t below = model_guide_find(guide, points, MODEL_REFERENCE_POINTS, raw - 1);
        size_t first = below == MODEL_REFERENCE_POINTS ? 0 : below + 1;
        rank = (double)(first + last) / 2.0;
    } else if (last + 1 < MODEL_REFERENCE_POINTS) {
        rank += (double)(raw - points[last]) / (double)(points[last + 1] - points[last]);
    }
    return rank * 100.0 / (MODEL_REFERENCE_POINTS - 1);
}

char model_grade(const struct model_scorecard *scorecard, double fit)
{
    const struct model_grades *grades = &scorecard->grades;
    /* Thresholds descend (model_seal); counted, since which one it is cannot be predicted. */
    return (char)('D' - (fit >= grades->c_min) - (fit >= grades->b_min) - (fit >= grades->a_min));
}
