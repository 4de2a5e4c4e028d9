/* SPDX-License-Identifier: Apache-2.0 */
/* The values are gathered, as they are or as they were, and coded anew; then the tables are read
 * once for the parts and once more, column by column, for what another bin would do. What is not
 * found, damaged or no longer kept ends it with a fault; nothing is left out in silence. */
#include "server/engine/explanation.h"

#include <stdlib.h>

#include "server/engine/explain.h"
#include "server/engine/explain_change.h"
#include "server/engine/explain_plan.h"
#include "server/engine/labels.h"
#include "server/engine/walk.h"

static bool no_memory(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to explain a score");
}

/* Finds the account, gathers its values and codes them. */
static bool values_take(struct engine_worker *worker, const struct engine_query *query,
                        struct engine_explanation *explanation, struct proto_fault *fault)
{
    struct engine_answer *answer = &explanation->answer;
    int64_t raw;
    if (!engine_query_find(worker, query, "explain", answer, fault) ||
        !engine_values_gather(worker, query, answer->slot, &answer->id, fault) ||
        !engine_values_raw(worker, query->document, &raw, fault)) {
        return false;
    }
    engine_answer_from_raw(query->document, raw, answer);
    if (worker->state->labels) {
        answer->label = engine_labels_match(worker->state->labels, worker->values,
                                            worker->state->schema->id_count);
    }
    explanation->codes = worker->codes;
    explanation->values = worker->values;
    explanation->value_slots = worker->state->schema ? worker->state->schema->id_count : 0;
    return true;
}

unsigned engine_column_family(const struct engine_worker *worker,
                              const struct learn_document *document, uint16_t column)
{
    const struct feature_field *field =
        worker->state->schema ? feature_schema_by_id(worker->state->schema,
                                                     document->codebook->columns[column].field_id)
                              : NULL;
    return field ? (unsigned)field->family : ENGINE_FAMILY_JOINT;
}

/* A category without a bin of its own. */
static bool is_unseen(const struct feature_column *column, uint8_t code)
{
    return column->type == FEATURE_CATEGORY && code == 1;
}

/* The worst that can be said of a term's columns. */
static enum engine_part_state part_state(const struct engine_explanation *explanation,
                                         const struct engine_plan *plan,
                                         const struct model_term *term, int64_t now_ms)
{
    enum engine_part_state state = ENGINE_PART_KNOWN;
    const uint16_t columns[2] = {term->column_a, term->column_b};
    for (unsigned i = 0; i < 2 && columns[i] != MODEL_NO_COLUMN; i++) {
        uint8_t code = explanation->codes[columns[i]];
        const struct engine_gap *gap = &plan->gaps[plan->gap_of_column[columns[i]]];
        if (code == 0) {
            return ENGINE_PART_MISSING;
        }
        if (is_unseen(&explanation->document->codebook->columns[columns[i]], code)) {
            state = ENGINE_PART_UNSEEN;
        } else if (state == ENGINE_PART_KNOWN && gap->stale_after_ms > 0 &&
                   gap->field_id < explanation->value_slots &&
                   now_ms - explanation->values[gap->field_id].time_ms > gap->stale_after_ms) {
            state = ENGINE_PART_STALE;
        }
    }
    return state;
}

static int64_t strength(int32_t contribution)
{
    return contribution < 0 ? -(int64_t)contribution : contribution;
}

static int by_strength(const void *a, const void *b)
{
    const struct engine_part *x = a;
    const struct engine_part *y = b;
    int64_t difference = strength(y->contribution) - strength(x->contribution);
    if (difference != 0) {
        return difference < 0 ? -1 : 1;
    }
    return (x->term > y->term) - (x->term < y->term);
}

static bool parts_fill(const struct engine_worker *worker, const struct engine_plan *plan,
                       int64_t now_ms, struct base_arena *arena,
                       struct engine_explanation *explanation, struct proto_fault *fault)
{
    const struct learn_document *document = explanation->document;
    const struct model_scorecard *scorecard = document->scorecard;
    const uint8_t *codes = explanation->codes;
    explanation->parts =
        base_arena_array(arena, scorecard->term_count + 1, sizeof *explanation->parts);
    if (!explanation->parts) {
        return no_memory(fault);
    }
    int32_t *contributions =
        base_arena_array(arena, scorecard->term_count + 1, sizeof *contributions);
    if (!contributions) {
        return no_memory(fault);
    }
    model_contributions(scorecard, codes, contributions);
    explanation->part_count = scorecard->term_count;
    for (size_t t = 0; t < scorecard->term_count; t++) {
        const struct model_term *term = &scorecard->terms[t];
        bool pair = term->column_b != MODEL_NO_COLUMN;
        size_t cell = (size_t)codes[term->column_a] * term->bins_b +
                      (pair ? codes[term->column_b] : (size_t)0);
        uint32_t entry = term->table_offset + (uint32_t)cell;
        explanation->parts[t] =
            (struct engine_part){.term = term,
                                 .entry = entry,
                                 .contribution = contributions[t],
                                 .state = part_state(explanation, plan, term, now_ms)};
        unsigned family = engine_column_family(worker, document, term->column_a);
        if (pair && engine_column_family(worker, document, term->column_b) != family) {
            family = ENGINE_FAMILY_JOINT;
        }
        explanation->families[family] += contributions[t];
        explanation->has_family[family] = true;
    }
    qsort(explanation->parts, explanation->part_count, sizeof *explanation->parts, by_strength);
    return true;
}

/* Which fields have no value, and what that leaves open. */
static bool gaps_fill(const struct engine_plan *plan, struct base_arena *arena,
                      struct engine_explanation *explanation, struct proto_fault *fault)
{
    struct engine_answer *answer = &explanation->answer;
    uint16_t *gaps = base_arena_array(arena, plan->gap_count + 1, sizeof *gaps);
    struct proto_span *missing = base_arena_array(arena, plan->gap_count + 1, sizeof *missing);
    if (!gaps || !missing) {
        return no_memory(fault);
    }
    answer->missing_count = engine_plan_missing(plan, explanation->codes, gaps);
    for (size_t i = 0; i < answer->missing_count; i++) {
        missing[i] = plan->gaps[gaps[i]].name;
    }
    int64_t low;
    int64_t high;
    engine_plan_interval(plan, explanation->codes, answer->raw, gaps, answer->missing_count, &low,
                         &high);
    answer->missing = missing;
    answer->fit_low = model_fit(plan->document->scorecard, low);
    answer->fit_high = model_fit(plan->document->scorecard, high);
    return true;
}

/* Fields whose value is old, and those whose value has no bin. */
static bool doubts_fill(const struct engine_plan *plan, int64_t now_ms, struct base_arena *arena,
                        struct engine_explanation *explanation, struct proto_fault *fault)
{
    struct engine_answer *answer = &explanation->answer;
    struct proto_span *stale = base_arena_array(arena, plan->gap_count + 1, sizeof *stale);
    explanation->unseen = base_arena_array(arena, plan->gap_count + 1, sizeof *explanation->unseen);
    if (!stale || !explanation->unseen) {
        return no_memory(fault);
    }
    for (size_t i = 0; i < plan->gap_count; i++) {
        const struct engine_gap *gap = &plan->gaps[i];
        uint8_t code = explanation->codes[gap->column];
        if (is_unseen(&explanation->document->codebook->columns[gap->column], code)) {
            explanation->unseen[explanation->unseen_count++] = gap->name;
        }
        if (gap->stale_after_ms > 0 && code != 0 && gap->field_id < explanation->value_slots &&
            now_ms - explanation->values[gap->field_id].time_ms > gap->stale_after_ms) {
            stale[answer->stale_count++] = gap->name;
        }
    }
    answer->stale = stale;
    return true;
}

bool engine_explanation_make(struct engine_worker *worker, const struct engine_query *query,
                             size_t changes, struct base_arena *arena,
                             struct engine_explanation *explanation, struct proto_fault *fault)
{
    int64_t now_ms = query->was ? query->was_ms : engine_now_ms(worker->engine);
    *explanation = (struct engine_explanation){.document = query->document};
    struct engine_plan *plan = engine_plan_get(worker, query->document, fault);
    return plan && values_take(worker, query, explanation, fault) &&
           parts_fill(worker, plan, now_ms, arena, explanation, fault) &&
           gaps_fill(plan, arena, explanation, fault) &&
           doubts_fill(plan, now_ms, arena, explanation, fault) &&
           engine_changes_find(explanation, changes, arena, fault);
}
