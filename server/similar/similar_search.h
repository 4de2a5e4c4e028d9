/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside a search: working memory, and the steps that all kinds of search share.
 */
#ifndef ICP_SIMILAR_SEARCH_H
#define ICP_SIMILAR_SEARCH_H

#include "server/similar/similar_set.h"
#include "server/similar/similar_top.h"

enum {
    SIMILAR_POOL_MAX = 512,    /* int8 candidates that an approximate search keeps */
    SIMILAR_PROBE_K_MAX = 100, /* calibrated up to here; larger k are answered exactly */
};

struct similar_filter {
    const struct similar_set *set;
    const uint64_t *words; /* borrowed */
    size_t word_count;
    uint64_t count;
    uint64_t epoch;  /* of the set when the masks were made */
    uint16_t *masks; /* SIMILAR_CHUNK_TILES a chunk */
};

/* Best int8 candidates, best first. */
struct similar_pool {
    uint32_t count;
    uint32_t room;
    float scores[SIMILAR_POOL_MAX];
    uint32_t places[SIMILAR_POOL_MAX];
};

/* A candidate whose bytes are on their way to the cache. */
struct similar_pending {
    uint32_t place;
    float list_byte; /* of its list's terms */
};

struct similar_scratch {
    struct similar_probe probes[SIMILAR_BATCH_MAX];
    int8_t interleaved[SIMILAR_BATCH_MAX * SIMILAR_DIM_MAX];
    int32_t *dots; /* by list */
    float *scores;
    float *groups; /* best score of 16 lists */
    uint32_t *heap;
    uint32_t list_room;
    struct similar_pool pool;
    struct similar_pending pending[2 * SIMILAR_CHUNK];
    uint32_t pending_count;
    struct similar_hit *hits; /* grows */
    uint64_t hit_room;
    struct similar_walk *walk; /* NULL until a query goes to the graph */
};

enum similar_status similar_scratch_reserve(const struct similar_set *set,
                                            struct similar_scratch *scratch, uint64_t hits);

/* The part of the score that a list adds for a query. */
struct similar_list_terms {
    double product;  /* <c, q> */
    double distance; /* |q - c| */
    double code;     /* added to a 1-bit estimate */
    double byte;     /* added to an int8 score */
};
struct similar_list_terms similar_terms_of(const struct similar_set *set,
                                           const struct similar_probe *probe, uint32_t list);

/* Whether the filter and the exclusions of a query let an id through. */
bool similar_query_admits(const struct similar_query *query, uint32_t id);
/* The filter's mask of a tile; all ones without a filter or when the masks are stale. */
uint16_t similar_filter_mask(const struct similar_set *set, const struct similar_filter *filter,
                             uint32_t chunk, uint32_t tile);
bool similar_filter_has(const struct similar_filter *filter, uint32_t id);

/* Settles places on the floats: those that the query admits enter `top`. */
void similar_finish(const struct similar_set *set, const struct similar_probe *probe,
                    const struct similar_query *query, const uint32_t *places, uint32_t count,
                    struct similar_top *top, struct similar_report *report);

/* The lists of a query, best first, one at a time: a heap of groups of 16 by their best list. */
struct similar_ranking {
    float *scores;
    float *groups;
    uint32_t *heap;
    uint32_t count;
};
/* similar_ranking.c: scores all lists of a prepared probe in the scratch. */
void similar_ranking_begin(const struct similar_set *set, struct similar_scratch *scratch,
                           const struct similar_probe *probe, struct similar_ranking *ranking);
/* The next list and its score; SIMILAR_NONE when no live list is left. */
uint32_t similar_ranking_next(struct similar_ranking *ranking, float *score);

/* similar_probe.c: approximate search of a prepared probe; `top` receives the hits. */
void similar_probe_search(const struct similar_set *set, struct similar_scratch *scratch,
                          const struct similar_probe *probe, const struct similar_query *query,
                          const struct similar_setting *setting, struct similar_top *top,
                          struct similar_report *report);
/* similar_scan.c */
/* Exact, over all chunks. `least` is a similarity that at least k vectors are known to reach. */
void similar_scan_all(const struct similar_set *set, const struct similar_probe *probe,
                      const struct similar_query *query, double least, struct similar_top *top,
                      struct similar_report *report);
/* Exact, over the vectors that the query's filter holds. */
void similar_scan_matches(const struct similar_set *set, struct similar_scratch *scratch,
                          const struct similar_probe *probe, const struct similar_query *query,
                          struct similar_top *top, struct similar_report *report);
/* Exact, up to 16 queries of scratch->probes in one pass; tops[i] may carry `least`[i]. */
void similar_scan_many(const struct similar_set *set, struct similar_scratch *scratch,
                       const struct similar_query *queries, uint32_t count, const double *least,
                       struct similar_top *tops, struct similar_report *report);
/* The constants of the int8 bound of a chunk: score <= base + offset + ... + error * width. */
struct similar_bound similar_bound_of(const struct similar_set *set,
                                      const struct similar_probe *probe,
                                      const struct similar_list_terms *terms, uint32_t chunk);

/* Interleaves the bytes of the first `count` probes; the rest of 16 are zeros. */
void similar_probes_interleave(const struct similar_set *set, struct similar_scratch *scratch,
                               uint32_t count);
/* The bounds of one chunk for the first `count` probes, all but thresholds; terms by probe. */
void similar_bound16_of(const struct similar_set *set, struct similar_scratch *scratch,
                        const struct similar_list_terms *terms, uint32_t count, uint32_t chunk,
                        struct similar_bound16 *bound);

/* similar_setting.c: the setting for a query, by recall target, k and filter. */
struct similar_setting similar_setting_for(const struct similar_set *set,
                                           const struct similar_query *query);

/* Checks the options of a query. */
enum similar_status similar_query_check(const struct similar_set *set,
                                        const struct similar_query *query);

#endif
