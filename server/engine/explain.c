/* SPDX-License-Identifier: Apache-2.0 */
#include "server/engine/explain.h"

#include <stdio.h>
#include <stdlib.h>

static int compare_strength(const void *a, const void *b)
{
    const struct engine_strength *x = a;
    const struct engine_strength *y = b;
    if (x->size != y->size) {
        return x->size < y->size ? 1 : -1;
    }
    return (x->term > y->term) - (x->term < y->term);
}

static bool scratch_ready(struct engine_worker *worker, const struct icp_document *document,
                          struct proto_fault *fault)
{
    size_t terms = document->scorecard->term_count;
    size_t columns = document->codebook->column_count;
    return ENGINE_SCRATCH(worker, contributions, contribution_count, terms, fault) &&
           ENGINE_SCRATCH(worker, order, order_count, terms, fault) &&
           ENGINE_SCRATCH(worker, reasons, reason_count, terms, fault) &&
           ENGINE_SCRATCH(worker, missing, missing_count, columns, fault) &&
           ENGINE_SCRATCH(worker, stale, stale_count, columns, fault);
}

static void reason_fill(const struct icp_document *document, const uint8_t *codes, size_t index,
                        int32_t contribution, struct engine_reason *reason)
{
    const struct model_term *term = &document->scorecard->terms[index];
    const struct feature_column *a = &document->codebook->columns[term->column_a];
    reason->field = a->field_name;
    reason->field_b = NULL;
    reason->contribution = contribution;
    feature_bin_text(a, codes[term->column_a], reason->value, sizeof reason->value);
    reason->value_b[0] = '\0';
    if (term->column_b != MODEL_NO_COLUMN) {
        const struct feature_column *b = &document->codebook->columns[term->column_b];
        reason->field_b = b->field_name;
        feature_bin_text(b, codes[term->column_b], reason->value_b, sizeof reason->value_b);
    }
}

/* The strongest `most` of each sign, by strength; the others are summed up in answer->rest. */
static void reasons_fill(struct engine_worker *worker, const struct engine_query *query,
                         const uint8_t *codes, struct engine_answer *answer)
{
    const struct icp_document *document = query->document;
    size_t terms = document->scorecard->term_count;
    model_contributions(document->scorecard, codes, worker->contributions);
    for (size_t i = 0; i < terms; i++) {
        int64_t contribution = worker->contributions[i];
        worker->order[i].size = contribution < 0 ? -contribution : contribution;
        worker->order[i].term = (uint32_t)i;
    }
    qsort(worker->order, terms, sizeof *worker->order, compare_strength);
    size_t positive = 0;
    size_t negative = 0;
    for (size_t i = 0; i < terms; i++) {
        size_t term = worker->order[i].term;
        int32_t contribution = worker->contributions[term];
        size_t *given = contribution < 0 ? &negative : &positive;
        if (contribution == 0 || *given >= query->reasons) {
            answer->rest += contribution;
            continue;
        }
        ++*given;
        reason_fill(document, codes, term, contribution, &worker->reasons[answer->reason_count++]);
    }
    answer->reasons = worker->reasons;
}

/* The columns of one field stand together, so comparing with the last name finds repeats. */
static void names_add(const char **names, size_t *count, const char *name)
{
    if (*count == 0 || strcmp(names[*count - 1], name) != 0) {
        names[(*count)++] = name;
    }
}

static void gaps_fill(struct engine_worker *worker, const struct icp_document *document,
                      const uint8_t *codes, struct engine_answer *answer)
{
    int64_t now_ms = engine_now_ms(worker->engine);
    const struct feature_schema *schema = worker->state->schema;
    for (size_t i = 0; i < document->codebook->column_count; i++) {
        const struct feature_column *column = &document->codebook->columns[i];
        if (codes[i] == 0) {
            names_add(worker->missing, &answer->missing_count, column->field_name);
            continue;
        }
        const struct feature_field *field = feature_schema_by_id(schema, column->field_id);
        if (field && field->stale_after_ms > 0 &&
            now_ms - worker->values[column->field_id].time_ms > field->stale_after_ms) {
            names_add(worker->stale, &answer->stale_count, column->field_name);
        }
    }
    answer->missing = worker->missing;
    answer->stale = worker->stale;
}

bool engine_explain(struct engine_worker *worker, const struct engine_query *query,
                    const uint8_t *codes, struct engine_answer *answer, struct proto_fault *fault)
{
    const struct icp_document *document = query->document;
    if (!scratch_ready(worker, document, fault)) {
        return false;
    }
    reasons_fill(worker, query, codes, answer);
    gaps_fill(worker, document, codes, answer);
    int64_t low;
    int64_t high;
    model_interval(document->scorecard, codes, &low, &high);
    answer->fit_low = model_fit(document->scorecard, low);
    answer->fit_high = model_fit(document->scorecard, high);
    return true;
}
