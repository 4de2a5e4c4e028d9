/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses how to answer, and says so in the report. */
#include "server/similar/similar_graph.h"

#include <math.h>

/*
 * Below this share of matches it is cheaper to visit them one by one: a visit costs about as much
 * as scanning 16 neighbours.
 */
enum { MATCH_COST = 16 };

static bool matches_are_few(const struct similar_set *set, const struct similar_query *query)
{
    return query->filter != NULL && query->filter->count * MATCH_COST < set->count;
}

/*
 * A quick approximate search finds k real vectors; the worst of them is what an exact scan's
 * candidates have to reach from its first tile on.
 */
static double least_of(const struct similar_set *set, struct similar_scratch *scratch,
                       const struct similar_probe *probe, const struct similar_query *query)
{
    struct similar_setting quick = {.probes = 8, .epsilon = 0.6f};
    struct similar_report ignored = {0};
    struct similar_top top;
    if (set->list_count < 2 || query->k > SIMILAR_PROBE_K_MAX) {
        return (double)-INFINITY;
    }
    similar_top_init(&top, scratch->hits, query->k);
    similar_probe_search(set, scratch, probe, query, &quick, &top, &ignored);
    return similar_top_worst(&top);
}

static void search_exact(const struct similar_set *set, struct similar_scratch *scratch,
                         const struct similar_query *query, struct similar_top *top,
                         struct similar_report *report)
{
    const struct similar_probe *probe = &scratch->probes[0];
    report->exact = true;
    report->recall_expected = 1;
    if (matches_are_few(set, query)) {
        report->path = SIMILAR_PATH_EXACT_MATCHES;
        similar_scan_matches(set, scratch, probe, query, top, report);
        return;
    }
    report->path = SIMILAR_PATH_EXACT_SCAN;
    double least = least_of(set, scratch, probe, query);
    similar_scan_all(set, probe, query, least, top, report);
}

/* On the graph, if it is faster there; false: the partitions are to answer, from the beginning. */
static bool search_graph(const struct similar_set *set, struct similar_scratch *scratch,
                         const struct similar_query *query, struct similar_top *top,
                         struct similar_report *report)
{
    struct similar_setting setting = similar_graph_setting(set, query);
    if (setting.probes == 0) {
        return false;
    }
    report->recall_expected = (double)setting.measured;
    if (similar_graph_search(set, scratch, query, setting.probes, top, report)) {
        return true;
    }
    *report = (struct similar_report){0};
    similar_top_init(top, top->hits, top->room);
    return false;
}

static void search_partitions(const struct similar_set *set, struct similar_scratch *scratch,
                              const struct similar_query *query, struct similar_top *top,
                              struct similar_report *report)
{
    struct similar_setting setting = similar_setting_for(set, query);
    if (setting.probes == 0) {
        search_exact(set, scratch, query, top, report);
        return;
    }
    report->path = SIMILAR_PATH_PROBE;
    report->recall_expected = (double)setting.measured;
    similar_probe_search(set, scratch, &scratch->probes[0], query, &setting, top, report);
}

enum similar_status similar_search(const struct similar_set *set, struct similar_scratch *scratch,
                                   const struct similar_query *query, struct similar_hit *hits,
                                   uint32_t *hit_count, struct similar_report *report)
{
    struct similar_report ignored;
    struct similar_top top;
    report = report != NULL ? report : &ignored;
    *report = (struct similar_report){0};
    *hit_count = 0;
    enum similar_status status = similar_query_check(set, query);
    if (status == SIMILAR_OK) {
        status = similar_scratch_reserve(set, scratch, query->k);
    }
    if (status != SIMILAR_OK) {
        return status;
    }
    similar_top_init(&top, hits, query->k);
    similar_probe_init(&set->space, query->vector, set->list_count > 1, &scratch->probes[0]);
    if (!search_graph(set, scratch, query, &top, report)) {
        search_partitions(set, scratch, query, &top, report);
    }
    similar_top_sort(&top);
    *hit_count = top.count;
    return SIMILAR_OK;
}

/* One pass for up to SIMILAR_BATCH_MAX queries that were checked. */
static void search_pass(const struct similar_set *set, struct similar_scratch *scratch,
                        const struct similar_query *queries, uint32_t count,
                        struct similar_hit *const *hits, uint32_t *hit_counts,
                        struct similar_report *report)
{
    struct similar_top tops[SIMILAR_BATCH_MAX];
    double least[SIMILAR_BATCH_MAX] = {0};
    for (uint32_t j = 0; j < count; j++) {
        similar_probe_init(&set->space, queries[j].vector, set->list_count > 1,
                           &scratch->probes[j]);
        least[j] = least_of(set, scratch, &scratch->probes[j], &queries[j]);
        similar_top_init(&tops[j], hits[j], queries[j].k);
    }
    similar_scan_many(set, scratch, queries, count, least, tops, report);
    for (uint32_t j = 0; j < count; j++) {
        similar_top_sort(&tops[j]);
        hit_counts[j] = tops[j].count;
    }
}

/* Checks all queries and makes room for the largest. */
static enum similar_status queries_check(const struct similar_set *set,
                                         struct similar_scratch *scratch,
                                         const struct similar_query *queries, uint32_t count)
{
    uint32_t k_most = 1;
    for (uint32_t i = 0; i < count; i++) {
        enum similar_status status = similar_query_check(set, &queries[i]);
        if (status != SIMILAR_OK) {
            return status;
        }
        k_most = queries[i].k > k_most ? queries[i].k : k_most;
    }
    return similar_scratch_reserve(set, scratch, k_most);
}

enum similar_status similar_search_many(const struct similar_set *set,
                                        struct similar_scratch *scratch,
                                        const struct similar_query *queries, uint32_t query_count,
                                        struct similar_hit *const *hits, uint32_t *hit_counts)
{
    enum similar_status status = queries_check(set, scratch, queries, query_count);
    for (uint32_t from = 0; status == SIMILAR_OK && from < query_count; from += SIMILAR_BATCH_MAX) {
        uint32_t left = query_count - from;
        struct similar_report ignored = {0};
        search_pass(set, scratch, queries + from,
                    left < SIMILAR_BATCH_MAX ? left : SIMILAR_BATCH_MAX, hits + from,
                    hit_counts + from, &ignored);
    }
    return status;
}

/* Queries gathered for one pass. */
struct gathered {
    uint32_t count;
    struct similar_query queries[SIMILAR_BATCH_MAX];
    struct similar_hit *hits[SIMILAR_BATCH_MAX];
    uint32_t hit_counts[SIMILAR_BATCH_MAX];
    uint32_t indexes[SIMILAR_BATCH_MAX];
};

static void gathered_search(const struct similar_set *set, struct similar_scratch *scratch,
                            struct gathered *gathered, uint32_t *hit_counts,
                            struct similar_report *reports)
{
    struct similar_report report = {0};
    if (gathered->count == 0) {
        return;
    }
    search_pass(set, scratch, gathered->queries, gathered->count, gathered->hits,
                gathered->hit_counts, &report);
    for (uint32_t j = 0; j < gathered->count; j++) {
        uint32_t index = gathered->indexes[j];
        hit_counts[index] = gathered->hit_counts[j];
        if (reports != NULL) {
            reports[index] = report;
            reports[index].path = SIMILAR_PATH_EXACT_SCAN;
            reports[index].exact = true;
            reports[index].recall_expected = 1;
        }
        report = (struct similar_report){0};
    }
    gathered->count = 0;
}

enum similar_status similar_search_waiting(const struct similar_set *set,
                                           struct similar_scratch *scratch,
                                           const struct similar_query *queries,
                                           uint32_t query_count, struct similar_hit *const *hits,
                                           uint32_t *hit_counts, struct similar_report *reports)
{
    struct gathered gathered;
    enum similar_status status = queries_check(set, scratch, queries, query_count);
    gathered.count = 0;
    for (uint32_t i = 0; status == SIMILAR_OK && i < query_count; i++) {
        bool scan = similar_setting_for(set, &queries[i]).probes == 0 &&
                    !matches_are_few(set, &queries[i]) &&
                    similar_graph_setting(set, &queries[i]).probes == 0;
        if (!scan) {
            status = similar_search(set, scratch, &queries[i], hits[i], &hit_counts[i],
                                    reports != NULL ? &reports[i] : NULL);
            continue;
        }
        gathered.queries[gathered.count] = queries[i];
        gathered.hits[gathered.count] = hits[i];
        gathered.indexes[gathered.count++] = i;
        if (gathered.count == SIMILAR_BATCH_MAX) {
            gathered_search(set, scratch, &gathered, hit_counts, reports);
        }
    }
    if (status != SIMILAR_OK) {
        return status;
    }
    if (gathered.count == 1) {
        uint32_t i = gathered.indexes[0];
        return similar_search(set, scratch, &queries[i], hits[i], &hit_counts[i],
                              reports != NULL ? &reports[i] : NULL);
    }
    gathered_search(set, scratch, &gathered, hit_counts, reports);
    return SIMILAR_OK;
}
