/* SPDX-License-Identifier: Apache-2.0 */
/* One look-alike query under way: what its examples, filter and exclusions become before the search
 * and what the search found. Used by the files of look-alike search on the thread of lane SEARCH
 * alone.
 *
 * Ownership: lookalike_query_fini frees what the query gathered, not the result. Errors: those of
 * lookalike.h. */
#ifndef LOOKALIKE_QUERY_H
#define LOOKALIKE_QUERY_H

#include "server/lookalike/lookalike_parts.h"

struct lookalike_query {
    struct lookalike *lookalike;
    struct engine_worker *worker;
    const struct engine_job *job;
    const struct lookalike_similar *query;
    struct lookalike_result *result;
    const struct lookalike_set *set;
    float *vectors; /* positives, then negatives */
    const float *positives[SIMILAR_EXAMPLES_MAX];
    const float *negatives[SIMILAR_EXAMPLES_MAX];
    uint32_t slots[SIMILAR_EXAMPLES_MAX]; /* of positives; STORE_NO_SLOT: values alone */
    uint32_t positive_count, negative_count;
    struct lookalike_slots exclude; /* ascending once the query is ready */
    uint64_t *words;                /* of the filter */
    size_t word_count;
    struct similar_filter *filter; /* NULL: all */
    struct lookalike_family *family;
    struct similar_hit *hits; /* hit_room of them */
    uint32_t hit_room, hit_count;
    struct feature_value *example_values; /* of the nearest positive of the result under way */
    size_t value_slots;
};

/* Everything that a search needs; under the lock of the set. */
bool lookalike_query_ready(struct lookalike_query *query, struct proto_fault *fault);
void lookalike_query_fini(struct lookalike_query *query);
/* Never a result; STORE_NO_SLOT is passed over. Whoever adds after the query is ready sorts. */
bool lookalike_query_exclude(struct lookalike_query *query, uint32_t slot,
                             struct proto_fault *fault);
void lookalike_query_sort(struct lookalike_query *query);
/* The values of an example in worker->values; *slot is STORE_NO_SLOT for values alone. */
bool lookalike_example_values(struct engine_worker *worker, const struct lookalike_example *example,
                              uint32_t *slot, struct proto_fault *fault);
/* As similar_search or similar_compose, alone: into query->hits. */
bool lookalike_query_search(struct lookalike_query *query, struct proto_fault *fault);

/* lookalike_family.c: exclusion by parent. Gathers the names of parents before the search; *family
 * stays NULL if the query names none. */
bool lookalike_family_ready(struct lookalike_query *query, struct proto_fault *fault);
void lookalike_family_destroy(struct lookalike_family *family); /* NULL is fine */
/* Searches, leaves out accounts of the family, and searches on until k others are found or there
 * are no more. The answer is that of a search that had known all of them before. */
bool lookalike_family_search(struct lookalike_query *query, struct proto_fault *fault);

#endif
