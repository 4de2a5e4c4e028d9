/* SPDX-License-Identifier: Apache-2.0 */
#include "server/engine/explain_plan.h"

#include <stdlib.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { STEP = 16 }; /* columns whose codes are compared at once; divides any row_bytes */

void engine_plan_destroy(struct engine_plan *plan)
{
    if (plan) {
        free(plan->gaps);
        free(plan->gap_of_column);
        free(plan->firsts);
        free(plan);
    }
}

static struct engine_plan *plan_allocate(const struct feature_codebook *codebook)
{
    struct engine_plan *plan = calloc(1, sizeof *plan);
    if (!plan) {
        return NULL;
    }
    plan->gaps = calloc(codebook->column_count + 1, sizeof *plan->gaps);
    plan->gap_of_column = calloc(codebook->column_count + 1, sizeof *plan->gap_of_column);
    plan->firsts = calloc(codebook->row_bytes / STEP + 1, sizeof *plan->firsts);
    if (!plan->gaps || !plan->gap_of_column || !plan->firsts) {
        engine_plan_destroy(plan);
        return NULL;
    }
    return plan;
}

static void gaps_make(struct engine_plan *plan, const struct feature_schema *schema)
{
    const struct feature_codebook *codebook = plan->document->codebook;
    for (size_t c = 0; c < codebook->column_count; c++) {
        const struct feature_column *column = &codebook->columns[c];
        if (c == 0 || strcmp(column[-1].field_name, column->field_name) != 0) {
            const struct feature_field *field =
                schema ? feature_schema_by_id(schema, column->field_id) : NULL;
            plan->gaps[plan->gap_count++] = (struct engine_gap){
                .name = proto_span_text(column->field_name),
                .column = (uint16_t)c,
                .field_id = column->field_id,
                .stale_after_ms = field ? field->stale_after_ms : 0,
            };
            plan->firsts[c / STEP] |= (uint16_t)(1U << c % STEP);
            plan->can_be_stale = plan->can_be_stale || (field && field->stale_after_ms > 0);
        }
        plan->gap_of_column[c] = (uint16_t)(plan->gap_count - 1);
    }
}

static void ranges_make(struct engine_plan *plan)
{
    const struct model_scorecard *scorecard = plan->document->scorecard;
    for (size_t t = 0; t < scorecard->term_count; t++) {
        const struct model_term *term = &scorecard->terms[t];
        if (term->column_b != MODEL_NO_COLUMN) {
            continue; /* depends on the other column: looked at row by row */
        }
        struct engine_gap *gap = &plan->gaps[plan->gap_of_column[term->column_a]];
        int64_t missing = scorecard->tables[term->table_offset];
        gap->low += scorecard->lows[t] - missing;
        gap->high += scorecard->highs[t] - missing;
        plan->first_pair = t + 1; /* pairs come last */
    }
}

struct engine_plan *engine_plan_get(struct engine_worker *worker,
                                    const struct learn_document *document,
                                    struct proto_fault *fault)
{
    uint64_t generation = worker->state->generation;
    for (size_t i = 0; i < ENGINE_PLANS; i++) {
        struct engine_plan *plan = worker->plans[i];
        if (plan && plan->document == document && plan->generation == generation) {
            return plan;
        }
    }
    struct engine_plan *plan = plan_allocate(document->codebook);
    if (!plan) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to explain a score");
        return NULL;
    }
    plan->document = document;
    plan->generation = generation;
    gaps_make(plan, worker->state->schema);
    ranges_make(plan);
    struct engine_plan **place = &worker->plans[worker->plan_next++ % ENGINE_PLANS];
    engine_plan_destroy(*place);
    *place = plan;
    return plan;
}

/* Bit i: code i of the sixteen is 0. */
static unsigned zeros(const uint8_t *codes)
{
#ifdef __SSE2__
    __m128i found = _mm_loadu_si128((const void *)codes);
    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(found, _mm_setzero_si128()));
#else
    unsigned bits = 0;
    for (unsigned i = 0; i < STEP; i++) {
        bits |= (unsigned)(codes[i] == 0) << i;
    }
    return bits;
#endif
}

size_t engine_plan_missing(const struct engine_plan *plan, const uint8_t *row, uint16_t *missing)
{
    size_t count = 0;
    for (size_t c = 0; c < plan->document->codebook->column_count; c += STEP) {
        for (unsigned bits = zeros(row + c) & plan->firsts[c / STEP]; bits != 0; bits &= bits - 1) {
            missing[count++] = plan->gap_of_column[c + (size_t)__builtin_ctz(bits)];
        }
    }
    return count;
}

void engine_plan_interval(const struct engine_plan *plan, const uint8_t *row, int64_t raw,
                          const uint16_t *missing, size_t missing_count, int64_t *low,
                          int64_t *high)
{
    const struct model_scorecard *scorecard = plan->document->scorecard;
    if (scorecard->trees != NULL && missing_count > 0) {
        model_interval(scorecard, row, low, high); /* no field goes its range by itself */
        return;
    }
    *low = raw;
    *high = raw;
    for (size_t i = 0; i < missing_count; i++) {
        *low += plan->gaps[missing[i]].low;
        *high += plan->gaps[missing[i]].high;
    }
    if (missing_count > 0) {
        model_interval_pairs(scorecard, plan->first_pair, row, low, high);
    }
}
