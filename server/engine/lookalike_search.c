/* SPDX-License-Identifier: Apache-2.0 */
/* One look-alike query: examples to vectors, filter and exclusions to slots, search, then what a
 * person wants to know of each result. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/engine/filtering.h"
#include "server/engine/lookalike_parts.h"

/* A query under way. */
struct searching {
    struct engine_worker *worker;
    const struct engine_job *job;
    const struct engine_similar *query;
    struct engine_similar_result *result;
    const struct lookalike_set *set;
    float *vectors; /* positives, then negatives */
    const float *positives[SIMILAR_EXAMPLES_MAX];
    const float *negatives[SIMILAR_EXAMPLES_MAX];
    uint32_t slots[SIMILAR_EXAMPLES_MAX]; /* of positives; STORE_NO_SLOT: values alone */
    uint32_t positive_count, negative_count;
    struct lookalike_slots exclude;
    uint64_t *words; /* of the filter */
    size_t word_count;
    struct feature_value *example_values; /* of the nearest positive of the result under way */
    size_t value_slots;
};

static bool no_memory(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a look-alike query");
}

static bool exclude_slot(struct searching *searching, uint32_t slot, struct proto_fault *fault)
{
    struct lookalike_slots *to = &searching->exclude;
    if (slot == STORE_NO_SLOT) {
        return true;
    }
    if (to->count == to->room) {
        size_t room = to->room == 0 ? 64 : to->room * 2;
        uint32_t *list = realloc(to->list, room * sizeof *list);
        if (!list) {
            return no_memory(fault);
        }
        to->list = list;
        to->room = room;
    }
    to->list[to->count++] = slot;
    return true;
}

/* The values of an example in worker->values; *slot is STORE_NO_SLOT for values alone. */
static bool example_values(struct engine_worker *worker, const struct engine_example *example,
                           uint32_t *slot, struct proto_fault *fault)
{
    struct proto_fault local = {0};
    size_t slots = worker->state->schema ? worker->state->schema->id_count : 0;
    *slot = engine_find(worker, &example->name, &local);
    if (local.code != PROTO_OK) {
        *fault = local;
        return false;
    }
    if (*slot == STORE_NO_SLOT && !example->values) {
        return proto_fault_set(fault, PROTO_NOT_FOUND, "",
                               "no account has this id, key or email domain");
    }
    if (*slot != STORE_NO_SLOT) {
        if (!engine_values(worker, *slot, NULL, fault)) {
            return false;
        }
    } else {
        if (!ENGINE_SCRATCH(worker, values, value_slots, slots, fault)) {
            return false;
        }
        for (size_t i = 0; i < slots; i++) {
            worker->values[i].present = false;
        }
    }
    for (size_t i = 0; i < example->value_slots && i < slots; i++) {
        if (example->values && example->values[i].present) {
            worker->values[i] = example->values[i];
        }
    }
    return true;
}

static float *vector_at(const struct searching *searching, size_t index)
{
    return searching->vectors + index * searching->set->plan->dims;
}

/* The worker's values as the next vector of one side. */
static void vector_add(struct searching *searching, bool positive, uint32_t slot)
{
    float *vector =
        vector_at(searching, (size_t)searching->positive_count + searching->negative_count);
    feature_vectorizer_vector(searching->set->plan, searching->worker->values,
                              searching->worker->value_slots, vector);
    if (positive) {
        searching->slots[searching->positive_count] = slot;
        searching->positives[searching->positive_count++] = vector;
    } else {
        searching->negatives[searching->negative_count++] = vector;
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

static bool examples_add(struct searching *searching, const struct engine_example *examples,
                         size_t count, bool positive, struct proto_fault *fault)
{
    const char *side = positive ? "positives" : "negatives";
    for (size_t i = 0; i < count; i++) {
        uint32_t slot;
        if (!example_values(searching->worker, &examples[i], &slot, fault)) {
            return proto_fault_within(fault, "%s[%zu]", side, i);
        }
        vector_add(searching, positive, slot);
        if (positive && is_zero(searching->positives[searching->positive_count - 1],
                                searching->set->plan->dims)) {
            char place[64];
            snprintf(place, sizeof place, "%s[%zu]", side, i);
            return proto_fault_set(fault, PROTO_BAD_FIELD, place,
                                   "this example has no value of any field that is compared");
        }
        if (!exclude_slot(searching, slot, fault)) {
            return false;
        }
    }
    return true;
}

static bool each_slot(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    (void)raw;
    return exclude_slot(context, slot, fault);
}

/* Accounts that match become examples of one side, and are never results themselves. */
static bool where_add(struct searching *searching, struct proto_span text, bool positive,
                      struct proto_fault *fault)
{
    struct engine_expression expression;
    size_t first = searching->exclude.count;
    if (text.bytes == 0) {
        return true;
    }
    const char *side = positive ? "positives_where" : "negatives_where";
    if (!engine_expression_open(searching->worker, text, searching->query->icp, false, &expression,
                                fault)) {
        snprintf(fault->field, sizeof fault->field, "%s", side);
        return false;
    }
    struct engine_walk walk = {
        .worker = searching->worker,
        .job = searching->job,
        .filter = expression.filter,
        .document =
            expression.filter && filter_reads_score(expression.filter) ? expression.document : NULL,
        .context = searching,
        .each = each_slot,
    };
    bool good = engine_walk(&walk, fault);
    engine_expression_close(&expression);
    size_t matched = searching->exclude.count - first;
    size_t left = SIMILAR_EXAMPLES_MAX - searching->positive_count - searching->negative_count;
    size_t take = matched < left ? matched : left;
    for (size_t i = 0; good && i < take; i++) {
        uint32_t slot = searching->exclude.list[first + i * matched / take];
        good = engine_values(searching->worker, slot, NULL, fault);
        if (good) {
            vector_add(searching, positive, slot);
        }
    }
    if (positive) {
        searching->result->positives_matched = matched;
    }
    return good;
}

static bool examples_ready(struct searching *searching, struct proto_fault *fault)
{
    const struct engine_similar *query = searching->query;
    size_t given = query->positive_count + query->negative_count;
    if (given > SIMILAR_EXAMPLES_MAX) {
        return proto_fault_set(fault, PROTO_TOO_LARGE, "positives",
                               "%zu examples, at most %d are allowed", given, SIMILAR_EXAMPLES_MAX);
    }
    bool many = query->positives_where.bytes > 0 || query->negatives_where.bytes > 0;
    searching->vectors =
        calloc((many ? (size_t)SIMILAR_EXAMPLES_MAX : given + 1) * searching->set->plan->dims,
               sizeof *searching->vectors);
    if (!searching->vectors) {
        return no_memory(fault);
    }
    if (!examples_add(searching, query->positives, query->positive_count, true, fault) ||
        !examples_add(searching, query->negatives, query->negative_count, false, fault) ||
        !where_add(searching, query->positives_where, true, fault) ||
        !where_add(searching, query->negatives_where, false, fault)) {
        return false;
    }
    searching->result->positives_used = searching->positive_count;
    searching->result->negatives_used = searching->negative_count;
    return searching->positive_count > 0 ||
           proto_fault_set(fault, PROTO_NOT_FOUND, "positives",
                           "no account matches the expression for positive examples");
}

static int compare_slot(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static bool exclusions_ready(struct searching *searching, struct proto_fault *fault)
{
    const struct engine_similar *query = searching->query;
    struct proto_fault local = {0};
    bool good = true;
    for (size_t i = 0; good && i < query->exclude_id_count; i++) {
        uint32_t slot = store_find_id(searching->worker->view, query->exclude_ids[i], &local);
        good = local.code == PROTO_OK && exclude_slot(searching, slot, &local);
    }
    for (size_t i = 0; good && i < query->exclude_key_count; i++) {
        uint32_t slot = store_find_key(searching->worker->view, query->exclude_keys[i], &local);
        good = local.code == PROTO_OK && exclude_slot(searching, slot, &local);
    }
    if (!good) {
        *fault = local;
        return false;
    }
    if (searching->exclude.count > 1) {
        qsort(searching->exclude.list, searching->exclude.count, sizeof(uint32_t), compare_slot);
    }
    return true;
}

static bool each_match(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    struct searching *searching = context;
    (void)raw;
    (void)fault;
    searching->words[slot / 64] |= (uint64_t)1 << slot % 64;
    return true;
}

static bool filter_ready(struct searching *searching, struct similar_filter **filter,
                         struct proto_fault *fault)
{
    struct engine_expression expression;
    enum similar_status status;
    if (searching->query->filter.bytes == 0) {
        return true;
    }
    searching->word_count = store_view_slots(searching->worker->view) / 64 + 1;
    searching->words = calloc(searching->word_count, sizeof *searching->words);
    if (!searching->words) {
        return no_memory(fault);
    }
    if (!engine_expression_open(searching->worker, searching->query->filter, searching->query->icp,
                                false, &expression, fault)) {
        return false;
    }
    struct engine_walk walk = {
        .worker = searching->worker,
        .job = searching->job,
        .filter = expression.filter,
        .document =
            expression.filter && filter_reads_score(expression.filter) ? expression.document : NULL,
        .context = searching,
        .each = each_match,
    };
    bool good = engine_walk(&walk, fault);
    engine_expression_close(&expression);
    if (!good) {
        return false;
    }
    *filter = similar_filter_create(searching->set->set, searching->words, searching->word_count,
                                    &status);
    return *filter || lookalike_fault(status, fault);
}

static bool search(struct searching *searching, struct similar_hit *hits, uint32_t *count,
                   struct proto_fault *fault)
{
    struct similar_filter *filter = NULL;
    if (!filter_ready(searching, &filter, fault)) {
        return false;
    }
    struct similar_examples examples = {
        .positives = searching->positives,
        .positive_count = searching->positive_count,
        .negatives = searching->negatives,
        .negative_count = searching->negative_count,
        .base = {.k = searching->query->k,
                 .recall = searching->query->recall,
                 .filter = filter,
                 .exclude = searching->exclude.list,
                 .exclude_count = (uint32_t)searching->exclude.count},
    };
    struct similar_report *report = &searching->result->report;
    enum similar_status status;
    if (examples.positive_count == 1 && examples.negative_count == 0) {
        examples.base.vector = examples.positives[0];
        status = similar_search(searching->set->set, searching->set->scratch, &examples.base, hits,
                                count, report);
    } else {
        status = similar_compose(searching->set->set, searching->set->scratch, &examples, hits,
                                 count, report);
    }
    similar_filter_destroy(filter);
    return status == SIMILAR_OK || lookalike_fault(status, fault);
}

/* The values of the nearest positive in searching->example_values. */
static bool nearest_values(struct searching *searching, uint32_t example, struct proto_span *id,
                           struct proto_fault *fault)
{
    struct engine_worker *worker = searching->worker;
    const struct engine_similar *query = searching->query;
    uint32_t slot = searching->slots[example];
    *id = (struct proto_span){0};
    if (slot != STORE_NO_SLOT && !engine_values(worker, slot, id, fault)) {
        return false;
    }
    if (example < query->positive_count &&
        !example_values(worker, &query->positives[example], &slot, fault)) {
        return false;
    }
    memcpy(searching->example_values, worker->values,
           searching->value_slots * sizeof *searching->example_values);
    return true;
}

/* Id, score and explanation of a result; its values are read once for both. */
static bool hit_fill(struct searching *searching, struct engine_similar_hit *hit,
                     struct proto_fault *fault)
{
    struct engine_worker *worker = searching->worker;
    const struct icp_document *document = searching->result->document;
    if (!engine_values(worker, hit->slot, &hit->id, fault)) {
        return false;
    }
    if (document) {
        if (!engine_values_raw(worker, document, &hit->raw, fault)) {
            return false;
        }
        hit->scored = true;
    }
    if (searching->query->shared_max > 0) {
        struct feature_vector_explanation explanation;
        feature_vectorizer_explain(searching->result->plan, worker->values,
                                   searching->example_values, searching->value_slots, hit->shared,
                                   searching->query->shared_max, &explanation);
        hit->shared_count = explanation.shared_count;
        hit->difference = explanation.difference;
        hit->difference_part = explanation.difference_part;
        if (hit->difference) {
            hit->difference_value = worker->values[hit->difference->field_id];
            hit->difference_example = searching->example_values[hit->difference->field_id];
        }
    }
    return true;
}

static bool hits_fill(struct searching *searching, const struct similar_hit *hits, uint32_t count,
                      struct proto_fault *fault)
{
    struct engine_similar_result *result = searching->result;
    uint32_t shared_max = searching->query->shared_max;
    uint32_t nearest = UINT32_MAX;
    struct proto_span nearest_id = {0};
    searching->value_slots = searching->worker->state->schema->id_count;
    searching->example_values =
        calloc(searching->value_slots + 1, sizeof *searching->example_values);
    result->hits = calloc((size_t)count + 1, sizeof *result->hits);
    result->shared_all = calloc((size_t)count * shared_max + 1, sizeof *result->shared_all);
    if (!searching->example_values || !result->hits || !result->shared_all) {
        return no_memory(fault);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct engine_similar_hit *hit = &result->hits[result->count];
        struct proto_fault local = {0};
        *hit = (struct engine_similar_hit){
            .slot = hits[i].id,
            .similarity = hits[i].similarity,
            .example = hits[i].example,
            .shared = result->shared_all + (size_t)i * shared_max,
        };
        if (i % 1024 == 0 && !engine_scan_goes_on(searching->job, fault)) {
            return false;
        }
        if (hit->example != nearest &&
            !nearest_values(searching, hit->example, &nearest_id, fault)) {
            return false;
        }
        nearest = hit->example;
        hit->example_id = nearest_id;
        if (hit_fill(searching, hit, &local)) {
            result->count++;
        } else if (local.code != PROTO_NOT_FOUND) {
            *fault = local;
            return false;
        }
    }
    return true;
}

static bool document_find(struct searching *searching, struct proto_fault *fault)
{
    const struct engine_state *state = searching->worker->state;
    if (searching->query->icp == 0 && !state->active) {
        return true;
    }
    searching->result->document = engine_state_document(state, searching->query->icp, fault);
    return searching->result->document != NULL;
}

bool engine_similar(struct engine_worker *worker, const struct engine_job *job,
                    const struct engine_similar *query, struct engine_similar_result *result,
                    struct proto_fault *fault)
{
    struct engine_lookalike *lookalike = worker->engine->lookalike;
    *result = (struct engine_similar_result){0};
    if (!lookalike_hold(worker, job, fault)) {
        return false;
    }
    struct searching *searching = calloc(1, sizeof *searching);
    struct similar_hit *hits = malloc(((size_t)query->k + 1) * sizeof *hits);
    uint32_t count = 0;
    bool good = false;
    if (!searching || !hits) {
        no_memory(fault);
    } else {
        searching->worker = worker;
        searching->job = job;
        searching->query = query;
        searching->result = result;
        searching->set = lookalike->set;
        result->plan = feature_vectorizer_retain(lookalike->set->plan);
        good = document_find(searching, fault) && examples_ready(searching, fault) &&
               exclusions_ready(searching, fault) && search(searching, hits, &count, fault);
    }
    lookalike_let_go(lookalike); /* the rest needs the view and the plan alone */
    good = good && searching && hits_fill(searching, hits, count, fault);
    if (searching) {
        free(searching->vectors);
        free(searching->exclude.list);
        free(searching->words);
        free(searching->example_values);
    }
    free(searching);
    free(hits);
    if (!good) {
        engine_similar_free(result);
    }
    return good;
}

void engine_similar_free(struct engine_similar_result *result)
{
    feature_vectorizer_release(result->plan);
    free(result->hits);
    free(result->shared_all);
    *result = (struct engine_similar_result){0};
}
