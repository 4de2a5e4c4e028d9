/* SPDX-License-Identifier: Apache-2.0 */
/* The one check of a scorecard, whoever made it, and what is worked out from it once. */
#include <assert.h>
#include <stdlib.h>

#include "server/model/scorecard.h"
#include "server/model/scorecard_range.h"

/* A column of the walk costs about a quarter of a term that is looked up on its own. */
#define WALK_COLUMNS_PER_TERM 4
#define WALK_COLUMNS_FREE 32U /* two steps are never worth avoiding */

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
    const struct model_strong_kernel *const *strong = model_strong_kernels(&kernels);
    scorecard->strong = strong[kernels - 1];
    if (scorecard->trees != NULL) {
        return true; /* no table is walked */
    }
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

/* What contributions add up from must be what they were worked out from, but for a last digit of
 * another machine's arithmetic; without any column it is the score itself. */
static bool intercept_check(const struct model_scorecard *scorecard, struct proto_fault *fault)
{
    int64_t off = scorecard->intercept - scorecard->trees->expectation;
    int64_t most = scorecard->trees->column_count > 0 ? 1 : 0;
    return (off >= -most && off <= most) ||
           proto_fault_set(fault, PROTO_BAD_DOCUMENT, "intercept",
                           "the trees come to %lld on average",
                           (long long)scorecard->trees->expectation);
}

bool model_seal(struct model_scorecard *scorecard, const struct feature_codebook *codebook,
                struct proto_fault *fault)
{
    if (!raw_in_range(scorecard->intercept, MODEL_RAW_MAX)) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "intercept", "it is beyond 2^42");
    }
    if (scorecard->trees != NULL && !intercept_check(scorecard, fault)) {
        return false;
    }
    size_t offset = 0;
    for (size_t t = 0; t < scorecard->term_count; t++) {
        if (!term_check(scorecard, t, codebook, offset, fault)) {
            return false;
        }
        const struct model_term *term = &scorecard->terms[t];
        model_table_range(
            scorecard->tables + offset, term->bins_b, model_codes_possible(0, term->bins_a),
            model_codes_possible(0, term->bins_b), &scorecard->lows[t], &scorecard->highs[t]);
        offset += (size_t)term->bins_a * term->bins_b;
    }
    assert(offset == scorecard->table_count);
    if (!calibration_check(scorecard, fault) || !reference_check(scorecard, fault)) {
        return false;
    }
    model_guide_make(&scorecard->calibration_guide, scorecard->calibration_raw,
                     scorecard->calibration_count);
    model_guide_make(&scorecard->reference_guide, scorecard->reference, MODEL_REFERENCE_POINTS);
    return walk_plan(scorecard, codebook, fault);
}
