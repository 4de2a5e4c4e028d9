/* SPDX-License-Identifier: Apache-2.0 */
/* The same queries exactly and approximately: how much of the exact answer comes back, and how much
 * time it saves. It takes seconds, so it lets go of the set between two queries: look-alikes that
 * somebody waits for, and commits, go on meanwhile. If another set comes, what was measured is of
 * neither, and the answer is `busy`. */
#include <stdlib.h>
#include <time.h>

#include "server/lookalike/lookalike_parts.h"

struct measuring {
    struct lookalike_recall *recall;
    struct lookalike *lookalike;
    const struct lookalike_set *set;
    struct similar_scratch *scratch; /* the set's own is of another thread */
    const struct engine_job *job;
    struct similar_hit *exact;
    struct similar_hit *approximate;
    uint64_t found, wanted;
    double exact_ns, approximate_ns;
};

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* A generator with a seed (Steele, Lea, Flood 2014), so that a measurement can be repeated. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static int compare_hit(const void *a, const void *b)
{
    const struct similar_hit *x = a;
    const struct similar_hit *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static uint64_t common(struct similar_hit *a, uint32_t count_a, struct similar_hit *b,
                       uint32_t count_b)
{
    uint64_t found = 0;
    qsort(a, count_a, sizeof *a, compare_hit);
    qsort(b, count_b, sizeof *b, compare_hit);
    for (uint32_t i = 0, k = 0; i < count_a && k < count_b;) {
        found += a[i].id == b[k].id;
        uint32_t id = a[i].id;
        i += id <= b[k].id;
        k += id >= b[k].id;
    }
    return found;
}

static bool query_measure(struct measuring *measuring, const float *vector, uint32_t self,
                          struct proto_fault *fault)
{
    struct similar_query query = {
        .vector = vector, .k = measuring->recall->k, .exclude = &self, .exclude_count = 1};
    uint32_t exact_count = 0;
    uint32_t approximate_count = 0;
    double begun = now_ns();
    enum similar_status status = similar_search(measuring->set->set, measuring->scratch, &query,
                                                measuring->exact, &exact_count, NULL);
    double between = now_ns();
    query.recall = measuring->recall->recall;
    if (status == SIMILAR_OK) {
        status = similar_search(measuring->set->set, measuring->scratch, &query,
                                measuring->approximate, &approximate_count, NULL);
    }
    double ended = now_ns();
    if (status != SIMILAR_OK) {
        return lookalike_fault(status, fault);
    }
    measuring->exact_ns += between - begun;
    measuring->approximate_ns += ended - between;
    measuring->wanted += exact_count;
    measuring->found +=
        common(measuring->exact, exact_count, measuring->approximate, approximate_count);
    measuring->recall->queries++;
    return true;
}

/* Between two queries: whoever waits for the set has it. Holds it again if true. */
static bool pause_between(struct measuring *measuring, struct proto_fault *fault)
{
    struct lookalike *lookalike = measuring->lookalike;
    lookalike_let_go(lookalike);
    pthread_rwlock_rdlock(&lookalike->set_lock);
    return lookalike->set == measuring->set ||
           proto_fault_set(fault, PROTO_BUSY, "",
                           "the vectors were built anew while they were measured; try again");
}

static bool measure(struct measuring *measuring, uint32_t slots, struct proto_fault *fault)
{
    struct lookalike_recall *recall = measuring->recall;
    uint64_t state = recall->seed;
    /* Slots of deleted accounts have no vector: a bounded number of tries for each query. */
    for (uint64_t tries = 0; recall->queries < recall->n && tries < 64 * (uint64_t)recall->n;
         tries++) {
        uint32_t slot = (uint32_t)(next_random(&state) % slots);
        if (!engine_scan_goes_on(measuring->job, fault) || !pause_between(measuring, fault)) {
            return false;
        }
        const float *vector = similar_get(measuring->set->set, slot);
        if (vector && !query_measure(measuring, vector, slot, fault)) {
            return false;
        }
    }
    return true;
}

static bool measuring_ready(struct measuring *measuring, struct proto_fault *fault)
{
    size_t hits = (size_t)measuring->recall->k + 1;
    measuring->set = measuring->lookalike->set;
    measuring->scratch = similar_scratch_create(measuring->set->set);
    measuring->exact = malloc(hits * sizeof *measuring->exact);
    measuring->approximate = malloc(hits * sizeof *measuring->approximate);
    return (measuring->scratch && measuring->exact && measuring->approximate) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to measure recall");
}

bool lookalike_recall(struct lookalike *lookalike, struct engine_worker *worker,
                      const struct engine_job *job, struct lookalike_recall *recall,
                      struct proto_fault *fault)
{
    struct measuring measuring = {.recall = recall, .lookalike = lookalike, .job = job};
    if (!lookalike_hold(lookalike, worker, job, fault)) {
        return false;
    }
    recall->queries = 0;
    recall->vectors = similar_count(lookalike->set->set);
    recall->lists = similar_list_count(lookalike->set->set);
    uint32_t slots = store_view_slots(worker->view);
    engine_worker_rest(worker); /* vectors alone are read from here on */
    bool good =
        measuring_ready(&measuring, fault) && (slots == 0 || measure(&measuring, slots, fault));
    lookalike_let_go(lookalike);
    if (recall->queries > 0) {
        recall->exact_ms = measuring.exact_ns / recall->queries / 1e6;
        recall->approximate_ms = measuring.approximate_ns / recall->queries / 1e6;
    }
    recall->measured =
        measuring.wanted > 0 ? (double)measuring.found / (double)measuring.wanted : 1;
    similar_scratch_destroy(measuring.scratch);
    free(measuring.exact);
    free(measuring.approximate);
    return good;
}
