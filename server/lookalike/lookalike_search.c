/* SPDX-License-Identifier: Apache-2.0 */
/* Look-alike queries from the wait for the set to what a person wants to know of each result.
 * Queries that wait together hold the set once, and share a pass over the vectors where that is
 * cheaper. */
#include <stdlib.h>

#include "server/engine/walk.h"
#include "server/lookalike/lookalike_query.h"

/* The values of the nearest positive in query->example_values. */
static bool nearest_values(struct lookalike_query *query, uint32_t example, struct proto_span *id,
                           struct proto_fault *fault)
{
    struct engine_worker *worker = query->worker;
    const struct lookalike_similar *request = query->query;
    uint32_t slot = query->slots[example];
    *id = (struct proto_span){0};
    if (slot != STORE_NO_SLOT && !engine_values(worker, slot, id, fault)) {
        return false;
    }
    if (example < request->positive_count &&
        !lookalike_example_values(worker, &request->positives[example], &slot, fault)) {
        return false;
    }
    memcpy(query->example_values, worker->values,
           query->value_slots * sizeof *query->example_values);
    return true;
}

/* Id, score and explanation of a result; its values are read once for both. */
static bool hit_fill(struct lookalike_query *query, struct lookalike_hit *hit,
                     struct proto_fault *fault)
{
    struct engine_worker *worker = query->worker;
    const struct learn_document *document = query->result->document;
    if (!engine_values(worker, hit->slot, &hit->id, fault)) {
        return false;
    }
    if (document) {
        if (!engine_values_raw(worker, document, &hit->raw, fault)) {
            return false;
        }
        hit->scored = true;
    }
    if (query->query->shared_max > 0) {
        struct feature_vector_explanation explanation;
        feature_vectorizer_explain(query->result->plan, worker->values, query->example_values,
                                   query->value_slots, hit->shared, query->query->shared_max,
                                   &explanation);
        hit->shared_count = explanation.shared_count;
        hit->difference = explanation.difference;
        hit->difference_part = explanation.difference_part;
        if (hit->difference) {
            hit->difference_value = worker->values[hit->difference->field_id];
            hit->difference_example = query->example_values[hit->difference->field_id];
        }
    }
    return true;
}

static bool hits_fill(struct lookalike_query *query, struct proto_fault *fault)
{
    const struct similar_hit *hits = query->hits;
    uint32_t count = query->hit_count;
    struct lookalike_result *result = query->result;
    uint32_t shared_max = query->query->shared_max;
    uint32_t nearest = UINT32_MAX;
    struct proto_span nearest_id = {0};
    query->value_slots = query->worker->state->schema->id_count;
    query->example_values = calloc(query->value_slots + 1, sizeof *query->example_values);
    result->hits = calloc((size_t)count + 1, sizeof *result->hits);
    result->shared_all = calloc((size_t)count * shared_max + 1, sizeof *result->shared_all);
    if (!query->example_values || !result->hits || !result->shared_all) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a look-alike query");
    }
    for (uint32_t i = 0; i < count; i++) {
        struct lookalike_hit *hit = &result->hits[result->count];
        struct proto_fault local = {0};
        *hit = (struct lookalike_hit){
            .slot = hits[i].id,
            .similarity = hits[i].similarity,
            .example = hits[i].example,
            .shared = result->shared_all + (size_t)i * shared_max,
        };
        if (i % 1024 == 0 && !engine_scan_goes_on(query->job, fault)) {
            return false;
        }
        if (hit->example != nearest && !nearest_values(query, hit->example, &nearest_id, fault)) {
            return false;
        }
        nearest = hit->example;
        hit->example_id = nearest_id;
        if (hit_fill(query, hit, &local)) {
            result->count++;
        } else if (local.code != PROTO_NOT_FOUND) {
            *fault = local;
            return false;
        }
    }
    return true;
}

static bool document_find(struct lookalike_query *query, struct proto_fault *fault)
{
    const struct engine_state *state = query->worker->state;
    if (query->query->icp == 0 && !state->active) {
        return true;
    }
    query->result->document = engine_state_document(state, query->query->icp, fault);
    return query->result->document != NULL;
}

/* Whether the query may share a pass: one example, and no rounds. */
static bool may_share(const struct lookalike_query *query)
{
    return query->positive_count == 1 && query->negative_count == 0 && !query->family;
}

/* One search for all that may share; a fault is that of all of them. */
static void search_shared(struct lookalike_query *const *queries, struct lookalike_ask *const *asks,
                          uint32_t count)
{
    struct similar_query list[SIMILAR_BATCH_MAX];
    struct similar_hit *hits[SIMILAR_BATCH_MAX];
    struct similar_report reports[SIMILAR_BATCH_MAX];
    uint32_t hit_counts[SIMILAR_BATCH_MAX] = {0};
    const struct lookalike_set *set = queries[0]->set;
    for (uint32_t i = 0; i < count; i++) {
        const struct lookalike_query *query = queries[i];
        hits[i] = query->hits;
        list[i] = (struct similar_query){.vector = query->positives[0],
                                         .k = query->hit_room,
                                         .recall = query->query->recall,
                                         .filter = query->filter,
                                         .exclude = query->exclude.list,
                                         .exclude_count = (uint32_t)query->exclude.count};
    }
    enum similar_status status =
        similar_search_waiting(set->set, set->scratch, list, count, hits, hit_counts, reports);
    for (uint32_t i = 0; i < count; i++) {
        if (status != SIMILAR_OK) {
            asks[i]->good = lookalike_fault(status, &asks[i]->fault);
            continue;
        }
        queries[i]->hit_count = hit_counts[i];
        queries[i]->result->report = reports[i];
    }
}

/* Under the lock of the set: prepares and searches; asks that fail are marked. */
static void search_all(struct lookalike_query *queries, struct lookalike_ask *asks, size_t count)
{
    struct lookalike_query *sharing[SIMILAR_BATCH_MAX];
    struct lookalike_ask *sharers[SIMILAR_BATCH_MAX];
    uint32_t shared = 0;
    for (size_t i = 0; i < count; i++) {
        struct lookalike_ask *ask = &asks[i];
        struct lookalike_query *query = &queries[i];
        if (!ask->good) {
            continue;
        }
        query->set = query->lookalike->set;
        query->result->plan = feature_vectorizer_retain(query->set->plan);
        query->result->metric = query->set->plan->metric;
        ask->good = document_find(query, &ask->fault) && lookalike_query_ready(query, &ask->fault);
        if (!ask->good) {
            continue;
        }
        if (may_share(query)) {
            sharers[shared] = ask;
            sharing[shared++] = query;
        } else {
            ask->good = query->family ? lookalike_family_search(query, &ask->fault)
                                      : lookalike_query_search(query, &ask->fault);
        }
    }
    if (shared > 0) {
        search_shared(sharing, sharers, shared);
    }
}

/* Waits as the ask with the latest right to wait does: one that is given up does not end others. */
static bool hold_any(struct lookalike *lookalike, struct engine_worker *worker,
                     struct lookalike_ask *asks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (lookalike_hold(lookalike, worker, asks[i].job, &asks[i].fault)) {
            return true;
        }
        asks[i].good = false;
    }
    return false;
}

void lookalike_similar_many(struct lookalike *lookalike, struct engine_worker *worker,
                            struct lookalike_ask *asks, size_t count)
{
    struct lookalike_query *queries = calloc(count, sizeof *queries);
    for (size_t i = 0; i < count; i++) {
        asks[i].result = (struct lookalike_result){0};
        asks[i].fault = (struct proto_fault){0};
        asks[i].good = queries || proto_fault_set(&asks[i].fault, PROTO_NO_MEMORY, "",
                                                  "no memory for a look-alike query");
    }
    if (queries && count <= SIMILAR_BATCH_MAX && hold_any(lookalike, worker, asks, count)) {
        for (size_t i = 0; i < count; i++) {
            queries[i].lookalike = lookalike;
            queries[i].worker = worker;
            queries[i].job = asks[i].job;
            queries[i].query = asks[i].query;
            queries[i].result = &asks[i].result;
        }
        search_all(queries, asks, count);
        lookalike_let_go(lookalike); /* the rest needs views and plans alone */
    }
    for (size_t i = 0; queries && i < count; i++) {
        asks[i].good = asks[i].good && hits_fill(&queries[i], &asks[i].fault);
        if (!asks[i].good) {
            lookalike_similar_free(&asks[i].result);
        }
        lookalike_query_fini(&queries[i]);
    }
    free(queries);
}

bool lookalike_similar(struct lookalike *lookalike, struct engine_worker *worker,
                       const struct engine_job *job, const struct lookalike_similar *query,
                       struct lookalike_result *result, struct proto_fault *fault)
{
    struct lookalike_ask ask = {.job = job, .query = query};
    lookalike_similar_many(lookalike, worker, &ask, 1);
    *result = ask.result;
    if (!ask.good) {
        *fault = ask.fault;
    }
    return ask.good;
}

void lookalike_similar_free(struct lookalike_result *result)
{
    feature_vectorizer_release(result->plan);
    free(result->hits);
    free(result->shared_all);
    *result = (struct lookalike_result){0};
}
