/* SPDX-License-Identifier: Apache-2.0 */
#include "server/model/scorecard.h"

#include <assert.h>
#include <stdlib.h>

/* A column of the walk costs about a quarter of a term that is looked up on its own. */
#define WALK_COLUMNS_PER_TERM 4
#define WALK_COLUMNS_FREE 32U /* two steps are never worth avoiding */

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
    for (size_t i = 0; i < count; i++) {
        raw[i] = model_raw(scorecard, rows + i * stride);
    }
}

void model_contributions(const struct model_scorecard *scorecard, const uint8_t *row,
                         int32_t *contributions)
{
    for (size_t t = 0; t < scorecard->term_count; t++) {
        contributions[t] = scorecard->tables[term_index(&scorecard->terms[t], row)];
    }
}

/* Index of the last point at or below raw, or count if raw lies below all of them. */
static size_t point_at(const int64_t *points, size_t count, int64_t raw)
{
    if (count == 0 || raw < points[0]) {
        return count;
    }
    size_t low = 0;
    size_t high = count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (points[middle] <= raw) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

double model_p(const struct model_scorecard *scorecard, int64_t raw)
{
    const int64_t *x = scorecard->calibration_raw;
    const double *p = scorecard->calibration_p;
    size_t count = scorecard->calibration_count;
    size_t at = point_at(x, count, raw);
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
    size_t last = point_at(points, MODEL_REFERENCE_POINTS, raw);
    if (last == MODEL_REFERENCE_POINTS) {
        return 0.0;
    }
    double rank = (double)last;
    if (points[last] == raw) {
        /* Mid-rank: accounts that tie share the middle of the places that they take up. */
        size_t below = point_at(points, MODEL_REFERENCE_POINTS, raw - 1);
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
    if (fit >= grades->a_min) {
        return 'A';
    }
    if (fit >= grades->b_min) {
        return 'B';
    }
    return fit >= grades->c_min ? 'C' : 'D';
}

struct code_range {
    size_t from;
    size_t end;
};

/* The codes that a column of this row could have: its own, or any but missing if it is missing. */
static struct code_range codes_possible(uint8_t code, uint16_t bins)
{
    if (code != 0 || bins < 2) {
        return (struct code_range){code, (size_t)code + 1};
    }
    return (struct code_range){1, bins};
}

static void table_range(const int32_t *table, size_t bins_b, struct code_range a,
                        struct code_range b, int32_t *low, int32_t *high)
{
    *low = INT32_MAX;
    *high = INT32_MIN;
    for (size_t i = a.from; i < a.end; i++) {
        for (size_t j = b.from; j < b.end; j++) {
            int32_t entry = table[i * bins_b + j];
            *low = entry < *low ? entry : *low;
            *high = entry > *high ? entry : *high;
        }
    }
}

void model_interval(const struct model_scorecard *scorecard, const uint8_t *row, int64_t *low,
                    int64_t *high)
{
    *low = scorecard->intercept;
    *high = scorecard->intercept;
    for (size_t t = 0; t < scorecard->term_count; t++) {
        const struct model_term *term = &scorecard->terms[t];
        uint8_t code_a = row[term->column_a];
        uint8_t code_b = term->column_b == MODEL_NO_COLUMN ? 0 : row[term->column_b];
        int32_t least = scorecard->lows[t];
        int32_t most = scorecard->highs[t];
        if (code_a != 0 || code_b != 0) {
            table_range(scorecard->tables + term->table_offset, term->bins_b,
                        codes_possible(code_a, term->bins_a), codes_possible(code_b, term->bins_b),
                        &least, &most);
        }
        *low += least;
        *high += most;
    }
}

static int term_compare(const struct model_term *a, const struct model_term *b)
{
    int pair_a = a->column_b != MODEL_NO_COLUMN;
    int pair_b = b->column_b != MODEL_NO_COLUMN;
    if (pair_a != pair_b) {
        return pair_a - pair_b;
    }
    if (a->column_a != b->column_a) {
        return a->column_a < b->column_a ? -1 : 1;
    }
    return (a->column_b > b->column_b) - (a->column_b < b->column_b);
}

static bool term_fault(struct proto_fault *fault, size_t t, const char *member, const char *text)
{
    proto_fault_set(fault, PROTO_BAD_DOCUMENT, member, "%s", text);
    return proto_fault_within(fault, "terms[%zu]", t);
}

static bool term_check(const struct model_scorecard *scorecard, size_t t,
                       const struct feature_codebook *codebook, size_t offset,
                       struct proto_fault *fault)
{
    const struct model_term *term = &scorecard->terms[t];
    bool pair = term->column_b != MODEL_NO_COLUMN;
    if (term->column_a >= codebook->column_count ||
        (pair && term->column_b >= codebook->column_count)) {
        return term_fault(fault, t, "columns", "a column that the codebook does not have");
    }
    if (pair && term->column_a >= term->column_b) {
        return term_fault(fault, t, "columns", "the columns of a pair must ascend");
    }
    if (t > 0 && term_compare(&scorecard->terms[t - 1], term) >= 0) {
        return term_fault(fault, t, "columns",
                          "terms must ascend by column, pairs after single columns, none twice");
    }
    unsigned bins_b = pair ? codebook->columns[term->column_b].bin_count : 1;
    if (term->bins_a != codebook->columns[term->column_a].bin_count || term->bins_b != bins_b) {
        return term_fault(fault, t, "bins", "bins differ from those of the codebook");
    }
    size_t entries = (size_t)term->bins_a * term->bins_b;
    if (term->table_offset != offset || entries > scorecard->table_count - offset) {
        return term_fault(fault, t, "table", "the table does not have one entry per bin");
    }
    for (size_t i = 0; i < entries; i++) {
        int32_t entry = scorecard->tables[offset + i];
        if (entry > MODEL_ENTRY_MAX || entry < -MODEL_ENTRY_MAX) {
            return term_fault(fault, t, "table", "an entry is beyond 2^30 millionths of a logit");
        }
    }
    return true;
}

static bool raw_in_range(int64_t raw, int64_t limit)
{
    return raw >= -limit && raw <= limit;
}

static bool calibration_check(const struct model_scorecard *scorecard, struct proto_fault *fault)
{
    size_t count = scorecard->calibration_count;
    if (count == 0 || count > MODEL_CALIBRATION_POINTS_MAX) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "calibration",
                               "there must be 1 to %d points", MODEL_CALIBRATION_POINTS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        int64_t raw = scorecard->calibration_raw[i];
        double p = scorecard->calibration_p[i];
        if (!raw_in_range(raw, 2 * MODEL_RAW_MAX) ||
            (i > 0 && raw <= scorecard->calibration_raw[i - 1])) {
            proto_fault_set(fault, PROTO_BAD_DOCUMENT, "", "points must ascend, within 2^43");
            return proto_fault_within(fault, "calibration.raw[%zu]", i);
        }
        if (!(p >= 0.0 && p <= 1.0) || (i > 0 && p < scorecard->calibration_p[i - 1])) {
            proto_fault_set(fault, PROTO_BAD_DOCUMENT, "", "p must not descend, from 0 to 1");
            return proto_fault_within(fault, "calibration.p[%zu]", i);
        }
    }
    return true;
}

static bool reference_check(const struct model_scorecard *scorecard, struct proto_fault *fault)
{
    for (size_t i = 0; i < MODEL_REFERENCE_POINTS; i++) {
        int64_t raw = scorecard->reference[i];
        if (!raw_in_range(raw, 2 * MODEL_RAW_MAX) || (i > 0 && raw < scorecard->reference[i - 1])) {
            proto_fault_set(fault, PROTO_BAD_DOCUMENT, "", "points must not descend, within 2^43");
            return proto_fault_within(fault, "reference[%zu]", i);
        }
    }
    const struct model_grades *g = &scorecard->grades;
    if (!(g->c_min >= 0.0 && g->c_min <= g->b_min && g->b_min <= g->a_min && g->a_min <= 100.0)) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "grades",
                               "0 <= C <= B <= A <= 100 must hold");
    }
    return true;
}

/* Lays out the walk over columns, unless so many columns have no term that walking costs more. */
static bool walk_plan(struct model_scorecard *scorecard, const struct feature_codebook *codebook,
                      struct proto_fault *fault)
{
    size_t kernels;
    const struct model_kernel *const *all = model_kernels(&kernels);
    scorecard->kernel = all[kernels - 1];
    size_t singles = 0;
    while (singles < scorecard->term_count &&
           scorecard->terms[singles].column_b == MODEL_NO_COLUMN) {
        singles++;
    }
    size_t last = singles == 0 ? 0 : scorecard->terms[singles - 1].column_a + (size_t)1;
    size_t columns = (last + MODEL_DENSE_STEP - 1) / MODEL_DENSE_STEP * MODEL_DENSE_STEP;
    if (columns > WALK_COLUMNS_PER_TERM * singles + WALK_COLUMNS_FREE ||
        columns > codebook->row_bytes) {
        return true;
    }
    uint32_t *offsets = calloc(columns + 1, sizeof *offsets);
    if (offsets == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the tables");
    }
    for (size_t c = 0; c < columns; c++) {
        offsets[c] = (uint32_t)scorecard->table_count;
    }
    for (size_t t = 0; t < singles; t++) {
        offsets[scorecard->terms[t].column_a] = scorecard->terms[t].table_offset;
    }
    free(scorecard->offsets);
    scorecard->offsets = offsets;
    scorecard->offset_count = columns;
    scorecard->walked = singles;
    return true;
}

bool model_seal(struct model_scorecard *scorecard, const struct feature_codebook *codebook,
                struct proto_fault *fault)
{
    if (!raw_in_range(scorecard->intercept, MODEL_RAW_MAX)) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "intercept", "it is beyond 2^42");
    }
    size_t offset = 0;
    for (size_t t = 0; t < scorecard->term_count; t++) {
        if (!term_check(scorecard, t, codebook, offset, fault)) {
            return false;
        }
        const struct model_term *term = &scorecard->terms[t];
        table_range(scorecard->tables + offset, term->bins_b, codes_possible(0, term->bins_a),
                    codes_possible(0, term->bins_b), &scorecard->lows[t], &scorecard->highs[t]);
        offset += (size_t)term->bins_a * term->bins_b;
    }
    assert(offset == scorecard->table_count);
    return calibration_check(scorecard, fault) && reference_check(scorecard, fault) &&
           walk_plan(scorecard, codebook, fault);
}
