/* SPDX-License-Identifier: Apache-2.0 */
/* Look-alike search over the accounts of the store: who is most like these examples.
 *
 * The vectors of all accounts (feature/vectorizer.h) lie in a set of server/similar, made by a
 * build: fit a plan on a sample, turn every account into a vector, partition. From then on a keeper
 * thread takes over each commit: the writer tells which slots changed, the keeper reads them and
 * changes the set, some 20 µs an account. A query first waits until the set has seen every commit
 * that was acknowledged before it came, then searches on a snapshot of the same commit: what was
 * acknowledged is found, what was deleted is not returned.
 *
 * Without a set a query builds one itself if the base has at most LOOKALIKE_SMALL accounts,
 * and refits it when the schema changed or the base doubled; above, PROTO_NO_VECTORS says how.
 *
 * Ownership: stated at each call. Errors: as said, and those of reading accounts. Threads: a search
 * runs on the thread of lane SEARCH, a recall on that of SCAN, each with its worker; a build on the
 * thread of jobs. Cost: similar.h; an explanation some 5 µs a result.
 * docs/decisions/lookalike-store.md. */
#ifndef LOOKALIKE_LOOKALIKE_H
#define LOOKALIKE_LOOKALIKE_H

#include "server/engine/engine.h"
#include "server/feature/vectorizer.h"
#include "server/similar/similar.h"

#define LOOKALIKE_SMALL 20000u

struct lookalike;

/* Follows the engine's commits from here on, and opens what the store keeps on a thread of its own.
 * A graph is built beside the partitions (similar.h) where it takes at most graph_bytes_max; 0:
 * none. Destroyed after engine_stop, for the engine's lanes use it, and before engine_destroy. */
struct lookalike *lookalike_create(struct engine *engine, uint64_t graph_bytes_max,
                                   struct proto_fault *fault);
void lookalike_destroy(struct lookalike *lookalike); /* NULL is fine */

/* An example: a stored account, or values, or values laid over a stored account. */
struct lookalike_example {
    struct engine_name name;
    const struct feature_value *values; /* by field id, NULL: none */
    size_t value_slots;
};

struct lookalike_similar {
    const struct lookalike_example *positives;
    size_t positive_count;
    const struct lookalike_example *negatives;
    size_t negative_count;
    /* Filter expressions. The accounts that match are examples too: all up to what is left of
     * SIMILAR_EXAMPLES_MAX, then as many evenly spaced ones. */
    struct proto_span positives_where, negatives_where;
    struct proto_span filter;                            /* empty: all accounts */
    const struct proto_span *exclude_ids, *exclude_keys; /* unknown ones are passed over */
    size_t exclude_id_count, exclude_key_count;
    /* Ids or keys of parents: neither they nor accounts whose parent field names one of them, by
     * id or any key, are given. With exclude_family the parents of the examples and the examples
     * themselves are such parents too. */
    const struct proto_span *exclude_parents;
    size_t exclude_parent_count;
    bool exclude_family;
    struct proto_span parent_field; /* name of a category */
    uint32_t k;
    double recall; /* 0 or 1: exact */
    uint32_t shared_max;
    uint64_t icp; /* version that scores; 0: the active one, if there is any */
};

struct lookalike_hit {
    struct proto_span id; /* borrows from the worker's view */
    uint32_t slot;
    double similarity; /* with negatives, and nearer to one of them: how far the negative is ahead,
                          0 or below */
    struct proto_span example_id; /* nearest positive; empty for one of values alone */
    uint32_t example;             /* its position: positives, then those of positives_where */
    struct feature_vector_shared *shared;
    size_t shared_count;
    const struct feature_vector_field *difference; /* NULL: none */
    double difference_part;
    struct feature_value difference_value, difference_example; /* of the two; may be missing */
    bool scored;
    int64_t raw;
};

struct lookalike_result {
    struct lookalike_hit *hits;
    size_t count;
    struct similar_report report;
    enum feature_vector_metric metric;
    const struct learn_document *document; /* NULL: not scored; borrows from the worker's state */
    uint64_t positives_matched;            /* by positives_where */
    uint64_t positives_used, negatives_used;
    /* its own */
    struct feature_vectorizer *plan;
    struct feature_vector_shared *shared_all;
};

/* Refreshes the worker's view (not its state): what was read from it before ends here. Whatever
 * succeeds is freed with lookalike_similar_free. */
bool lookalike_similar(struct lookalike *lookalike, struct engine_worker *worker,
                       const struct engine_job *job, const struct lookalike_similar *query,
                       struct lookalike_result *result, struct proto_fault *fault);
void lookalike_similar_free(struct lookalike_result *result);

/* Queries that wait together, SIMILAR_BATCH_MAX at most: each is answered as lookalike_similar
 * would, on one commit, and those with one example and an exact answer share one pass. Each result
 * that is good is freed with lookalike_similar_free. */
struct lookalike_ask {
    const struct engine_job *job;
    const struct lookalike_similar *query;
    /* set */
    struct lookalike_result result;
    struct proto_fault fault;
    bool good;
};
void lookalike_similar_many(struct lookalike *lookalike, struct engine_worker *worker,
                            struct lookalike_ask *asks, size_t count);

/* How well approximate search does on this base: n stored accounts, chosen by seed, as queries. */
struct lookalike_recall {
    uint32_t k;
    double recall; /* target */
    uint32_t n;
    uint64_t seed;
    /* set */
    uint32_t queries;
    double measured;
    double exact_ms, approximate_ms; /* mean of one query */
    uint64_t vectors, lists;
};
bool lookalike_recall(struct lookalike *lookalike, struct engine_worker *worker,
                      const struct engine_job *job, struct lookalike_recall *recall,
                      struct proto_fault *fault);

/* Builds anew as a job; the set in use answers meanwhile. What is left out stays as it is for the
 * set in use, and is kept with it: builds that come by themselves follow it too. */
struct lookalike_weight {
    struct proto_span field;
    double weight; /* 0 leaves the field out, 1 is what a firmographic field has */
};
struct lookalike_rebuild {
    bool defaults;            /* what is left out is as in the beginning */
    struct proto_span metric; /* empty: left out */
    double vector_share;      /* 0: left out */
    uint32_t dims;            /* places of all that is no vector field; 0: left out */
    enum { LOOKALIKE_KEEP, LOOKALIKE_NO, LOOKALIKE_YES } icp_weights;
    const struct lookalike_weight *weights; /* NULL: left out; else replaces all */
    size_t weight_count;
    int64_t deadline_ms;
    void (*on_progress)(void *context, const struct engine_job_info *info);
    void (*on_done)(void *context, const struct engine_job_info *info);
    void *context;
};
/* Returns the job's number; 0 with *fault (PROTO_BAD_FIELD: unknown metric or field, a number out
 * of range). */
uint64_t lookalike_rebuild(struct lookalike *lookalike, const struct lookalike_rebuild *build,
                           struct proto_fault *fault);

struct lookalike_stats {
    bool ready, building, opened; /* opened: from blocks of the store, not built since the start */
    enum feature_vector_metric metric;
    uint64_t vectors, lists, dims, pending, plan_digest, seq, bytes;
    uint64_t graph_vectors, graph_bytes; /* 0: no graph, or it answers no more; bytes are part of
                                            the above */
};
void lookalike_stats(struct lookalike *lookalike, struct lookalike_stats *stats);
/* The plan in use as JSON text; NULL without a set or memory. Caller frees. */
char *lookalike_plan(struct lookalike *lookalike);
/* What builds were asked for, as JSON text: {"metric": …, "vector_share": …, "dims": …,
 * "icp_weights": …, "weights": {…}} with what was given. NULL as above. Caller frees. */
char *lookalike_wishes(struct lookalike *lookalike);

#endif
