/* SPDX-License-Identifier: Apache-2.0 */
#include "server/engine/explain.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/engine/explain_plan.h"

static bool scratch_ready(struct engine_worker *worker, const struct learn_document *document,
                          struct engine_plan *plan, struct proto_fault *fault)
{
    if (plan->has_scratch) {
        return true;
    }
    size_t terms = document->scorecard->term_count;
    size_t room = model_strong_room(document->scorecard);
    plan->has_scratch = ENGINE_SCRATCH(worker, strong.entries, entry_count, room, fault) &&
                        ENGINE_SCRATCH(worker, strong.marks, mark_count, room, fault) &&
                        ENGINE_SCRATCH(worker, strong.keys, key_count, room, fault) &&
                        ENGINE_SCRATCH(worker, parts, part_count, terms, fault) &&
                        ENGINE_SCRATCH(worker, gaps, gap_count, plan->gap_count, fault) &&
                        ENGINE_SCRATCH(worker, missing, missing_count, plan->gap_count, fault) &&
                        ENGINE_SCRATCH(worker, stale, stale_count, plan->gap_count, fault);
    return plan->has_scratch;
}

static void reason_fill(const struct learn_document *document, const uint8_t *codes,
                        const struct model_part *part, struct engine_reason *reason)
{
    const struct feature_column *a = &document->codebook->columns[part->column_a];
    reason->field = a->field_name;
    reason->field_b = NULL;
    reason->contribution = part->contribution;
    feature_bin_text(a, codes[part->column_a], reason->value, sizeof reason->value);
    reason->value_b[0] = '\0';
    if (part->column_b != MODEL_NO_COLUMN) {
        const struct feature_column *b = &document->codebook->columns[part->column_b];
        reason->field_b = b->field_name;
        feature_bin_text(b, codes[part->column_b], reason->value_b, sizeof reason->value_b);
    }
}

void engine_reason_fill(const struct learn_document *document, const struct model_part *part,
                        struct engine_reason *reason)
{
    const struct model_scorecard *scorecard = document->scorecard;
    uint8_t
        codes[PROTO_COLUMNS_MAX]; /* those of the part's columns are set, and no other is read */
    for (size_t t = 0; t < scorecard->term_count; t++) {
        const struct model_term *term = &scorecard->terms[t];
        size_t bins = (size_t)term->bins_a * term->bins_b;
        if (part->entry < term->table_offset || part->entry - term->table_offset >= bins) {
            continue;
        }
        codes[term->column_a] = (uint8_t)((part->entry - term->table_offset) / term->bins_b);
        if (term->column_b != MODEL_NO_COLUMN) {
            codes[term->column_b] = (uint8_t)((part->entry - term->table_offset) % term->bins_b);
        }
        reason_fill(document, codes, part, reason);
        return;
    }
}

/* The texts of all parts, for those who ask for them. */
static bool texts_fill(struct engine_worker *worker, const struct learn_document *document,
                       const uint8_t *codes, struct engine_answer *answer,
                       struct proto_fault *fault)
{
    if (!ENGINE_SCRATCH(worker, reasons, reason_count, answer->part_count, fault)) {
        return false;
    }
    for (size_t i = 0; i < answer->part_count; i++) {
        reason_fill(document, codes, &answer->parts[i], &worker->reasons[i]);
    }
    answer->reasons = worker->reasons;
    answer->reason_count = answer->part_count;
    return true;
}

static void missing_fill(struct engine_worker *worker, const struct engine_plan *plan,
                         const uint8_t *codes, struct engine_answer *answer)
{
    size_t count = engine_plan_missing(plan, codes, worker->gaps);
    for (size_t i = 0; i < count; i++) {
        worker->missing[i] = plan->gaps[worker->gaps[i]].name;
    }
    answer->missing = worker->missing;
    answer->missing_count = count;
    answer->fit_low = answer->fit;
    answer->fit_high = answer->fit;
    if (count > 0) {
        int64_t low;
        int64_t high;
        engine_plan_interval(plan, codes, answer->raw, worker->gaps, count, &low, &high);
        answer->fit_low = model_fit(plan->document->scorecard, low);
        answer->fit_high = model_fit(plan->document->scorecard, high);
    }
}

static void stale_fill(struct engine_worker *worker, const struct engine_plan *plan,
                       const struct engine_query *query, const uint8_t *codes,
                       struct engine_answer *answer)
{
    int64_t now_ms = query->was != NULL ? query->was_ms : engine_now_ms(worker->engine);
    for (size_t i = 0; i < plan->gap_count; i++) {
        const struct engine_gap *gap = &plan->gaps[i];
        if (gap->stale_after_ms > 0 && codes[gap->column] != 0 &&
            gap->field_id < worker->value_slots &&
            now_ms - worker->values[gap->field_id].time_ms > gap->stale_after_ms) {
            worker->stale[answer->stale_count++] = gap->name;
        }
    }
}

bool engine_explain(struct engine_worker *worker, const struct engine_query *query,
                    const uint8_t *codes, bool has_values, struct engine_answer *answer,
                    struct proto_fault *fault)
{
    const struct learn_document *document = query->document;
    struct engine_plan *plan = engine_plan_get(worker, document, fault);
    if (!plan || !scratch_ready(worker, document, plan, fault)) {
        return false;
    }
    int64_t raw;
    answer->part_count = model_strongest(document->scorecard, codes, query->reasons,
                                         &worker->strong, worker->parts, &raw);
    answer->parts = worker->parts;
    engine_answer_from_raw(document, raw, answer);
    answer->rest = raw - document->scorecard->intercept;
    for (size_t i = 0; i < answer->part_count; i++) {
        answer->rest -= answer->parts[i].contribution;
    }
    missing_fill(worker, plan, codes, answer);
    answer->stale = worker->stale;
    /* What a lead says is of this moment: nothing of it is stale. */
    if (plan->can_be_stale && (has_values || answer->found)) {
        struct proto_span id;
        if (!has_values && !engine_values_gather(worker, query, answer->slot, &id, fault)) {
            return false;
        }
        stale_fill(worker, plan, query, codes, answer);
    }
    return query->bare || texts_fill(worker, document, codes, answer, fault);
}
