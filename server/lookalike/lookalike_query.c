/* SPDX-License-Identifier: Apache-2.0 */
/* What a look-alike query asks for: examples to vectors, filter and exclusions to slots. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/engine/expression.h"
#include "server/engine/walk.h"
#include "server/lookalike/lookalike_query.h"

static bool no_memory(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a look-alike query");
}

static float *vector_at(const struct lookalike_query *query, size_t index)
{
    return query->vectors + index * query->set->plan->dims;
}

/* The worker's values as the next vector of one side. */
static void vector_add(struct lookalike_query *query, bool positive, uint32_t slot)
{
    float *vector = vector_at(query, (size_t)query->positive_count + query->negative_count);
    feature_vectorizer_vector(query->set->plan, query->worker->values, query->worker->value_slots,
                              vector);
    if (positive) {
        query->slots[query->positive_count] = slot;
        query->positives[query->positive_count++] = vector;
    } else {
        query->negatives[query->negative_count++] = vector;
    }
}

static bool is_zero(const float *vector, uint32_t dims)
{
    for (uint32_t i = 0; i < dims; i++) {
        if (vector[i] != 0) {
            return false;
        }
    }
    return true;
}

static bool examples_add(struct lookalike_query *query, const struct lookalike_example *examples,
                         size_t count, bool positive, struct proto_fault *fault)
{
    const char *side = positive ? "positives" : "negatives";
    for (size_t i = 0; i < count; i++) {
        uint32_t slot;
        if (!lookalike_example_values(query->worker, &examples[i], &slot, fault)) {
            return proto_fault_within(fault, "%s[%zu]", side, i);
        }
        vector_add(query, positive, slot);
        if (positive &&
            is_zero(query->positives[query->positive_count - 1], query->set->plan->dims)) {
            char place[64];
            snprintf(place, sizeof place, "%s[%zu]", side, i);
            return proto_fault_set(fault, PROTO_BAD_FIELD, place,
                                   "this example has no value of any field that is compared");
        }
        if (!lookalike_query_exclude(query, slot, fault)) {
            return false;
        }
    }
    return true;
}

static bool each_slot(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    (void)raw;
    return lookalike_query_exclude(context, slot, fault);
}

/* Walks the accounts that match the expression, and closes it. */
static bool matches_walk(struct lookalike_query *query, struct engine_expression *expression,
                         bool (*each)(void *context, uint32_t slot, int64_t raw,
                                      struct proto_fault *fault),
                         struct proto_fault *fault)
{
    bool reads_score = expression->filter && filter_reads_score(expression->filter);
    struct engine_walk walk = {
        .worker = query->worker,
        .job = query->job,
        .filter = expression->filter,
        .document = reads_score ? expression->document : NULL,
        .context = query,
        .each = each,
    };
    bool good = engine_walk(&walk, fault);
    engine_expression_close(expression);
    return good;
}

/* Accounts that match become examples of one side, and are never results themselves. */
static bool where_add(struct lookalike_query *query, struct proto_span text, bool positive,
                      struct proto_fault *fault)
{
    struct engine_expression expression;
    size_t first = query->exclude.count;
    if (text.bytes == 0) {
        return true;
    }
    const char *side = positive ? "positives_where" : "negatives_where";
    if (!engine_expression_open(query->worker, text, query->query->icp, false, &expression,
                                fault)) {
        snprintf(fault->field, sizeof fault->field, "%s", side);
        return false;
    }
    bool good = matches_walk(query, &expression, each_slot, fault);
    size_t matched = query->exclude.count - first;
    size_t left = SIMILAR_EXAMPLES_MAX - query->positive_count - query->negative_count;
    size_t take = matched < left ? matched : left;
    for (size_t i = 0; good && i < take; i++) {
        uint32_t slot = query->exclude.list[first + i * matched / take];
        good = engine_values(query->worker, slot, NULL, fault);
        if (good) {
            vector_add(query, positive, slot);
        }
    }
    if (positive) {
        query->result->positives_matched = matched;
    }
    return good;
}

static bool examples_ready(struct lookalike_query *query, struct proto_fault *fault)
{
    const struct lookalike_similar *request = query->query;
    size_t given = request->positive_count + request->negative_count;
    if (given > SIMILAR_EXAMPLES_MAX) {
        return proto_fault_set(fault, PROTO_TOO_LARGE, "positives",
                               "%zu examples, at most %d are allowed", given, SIMILAR_EXAMPLES_MAX);
    }
    bool many = request->positives_where.bytes > 0 || request->negatives_where.bytes > 0;
    query->vectors =
        calloc((many ? (size_t)SIMILAR_EXAMPLES_MAX : given + 1) * query->set->plan->dims,
               sizeof *query->vectors);
    if (!query->vectors) {
        return no_memory(fault);
    }
    if (!examples_add(query, request->positives, request->positive_count, true, fault) ||
        !examples_add(query, request->negatives, request->negative_count, false, fault) ||
        !where_add(query, request->positives_where, true, fault) ||
        !where_add(query, request->negatives_where, false, fault)) {
        return false;
    }
    query->result->positives_used = query->positive_count;
    query->result->negatives_used = query->negative_count;
    return query->positive_count > 0 ||
           proto_fault_set(fault, PROTO_NOT_FOUND, "positives",
                           "no account matches the expression for positive examples");
}

static bool exclusions_ready(struct lookalike_query *query, struct proto_fault *fault)
{
    const struct lookalike_similar *request = query->query;
    struct proto_fault local = {0};
    bool good = true;
    for (size_t i = 0; good && i < request->exclude_id_count; i++) {
        uint32_t slot = store_find_id(query->worker->view, request->exclude_ids[i], &local);
        good = local.code == PROTO_OK && lookalike_query_exclude(query, slot, &local);
    }
    for (size_t i = 0; good && i < request->exclude_key_count; i++) {
        uint32_t slot = store_find_key(query->worker->view, request->exclude_keys[i], &local);
        good = local.code == PROTO_OK && lookalike_query_exclude(query, slot, &local);
    }
    if (!good) {
        *fault = local;
        return false;
    }
    lookalike_query_sort(query);
    return true;
}

static bool each_match(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    struct lookalike_query *query = context;
    (void)raw;
    (void)fault;
    query->words[slot / 64] |= (uint64_t)1 << slot % 64;
    return true;
}

static bool filter_ready(struct lookalike_query *query, struct proto_fault *fault)
{
    struct engine_expression expression;
    enum similar_status status;
    if (query->query->filter.bytes == 0) {
        return true;
    }
    query->word_count = store_view_slots(query->worker->view) / 64 + 1;
    query->words = calloc(query->word_count, sizeof *query->words);
    if (!query->words) {
        return no_memory(fault);
    }
    if (!engine_expression_open(query->worker, query->query->filter, query->query->icp, false,
                                &expression, fault)) {
        return false;
    }
    bool good = matches_walk(query, &expression, each_match, fault);
    if (!good) {
        return false;
    }
    query->filter =
        similar_filter_create(query->set->set, query->words, query->word_count, &status);
    return query->filter || lookalike_fault(status, fault);
}

bool lookalike_query_ready(struct lookalike_query *query, struct proto_fault *fault)
{
    query->hit_room = query->query->k;
    query->hits = malloc(((size_t)query->hit_room + 1) * sizeof *query->hits);
    if (!query->hits) {
        return no_memory(fault);
    }
    /* The family asks what the examples are before the exclusions are sorted. */
    return examples_ready(query, fault) && lookalike_family_ready(query, fault) &&
           exclusions_ready(query, fault) && filter_ready(query, fault);
}

void lookalike_query_fini(struct lookalike_query *query)
{
    similar_filter_destroy(query->filter);
    lookalike_family_destroy(query->family);
    free(query->vectors);
    free(query->exclude.list);
    free(query->words);
    free(query->hits);
    free(query->example_values);
}
