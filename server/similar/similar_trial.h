/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stored vectors as sample queries of calibration: their exact neighbours, what it takes to reach
 * each neighbour, and what a setting really finds.
 *
 * Needs. A neighbour lies in a list, and that list has a rank by distance and a gap: how much
 * farther it is than the nearest list, as a multiple of the distance of the k-th neighbour. A
 * search of `probes` lists within `margin` opens the list if the rank is below `probes` and the
 * gap is at most `margin`. So the share of neighbours whose list is opened, and how many lists and
 * codes that costs, follow from the needs without a search. What the 1-bit codes lose on top is
 * found by searching.
 *
 * Ownership: a trial borrows the set. Errors: SIMILAR_ERROR_MEMORY. Threads: one. Cost: the exact
 * neighbours are most of it, about 1/10 of a pass over the data a query.
 */
#ifndef ICP_SIMILAR_TRIAL_H
#define ICP_SIMILAR_TRIAL_H

#include "server/similar/similar_search.h"

/* A depth: its k, how many samples, and one of how many ids passes the filter. */
struct similar_level {
    uint32_t k;
    uint32_t samples;  /* whose needs are known */
    uint32_t searched; /* the first of these are searched with */
    uint32_t one_of;
    uint32_t fitted; /* widths of the bound that each target is tried with */
};

struct similar_need {
    uint32_t rank;
    uint32_t sample;
    float gap;
};

struct similar_trial {
    const struct similar_set *set;
    struct similar_scratch *scratch;
    struct similar_query *queries;
    struct similar_hit **hits; /* exact, or all but */
    struct similar_hit *hit_space;
    uint32_t *hit_counts;
    uint32_t *ids; /* of the samples, each its query's exclusion */
    struct similar_hit *found;
    uint64_t *words; /* of the filter */
    size_t word_count;
    struct similar_filter *filter; /* NULL at depths without */
    uint32_t count;
    uint32_t searched;
    uint32_t k;
    struct similar_need *needs; /* of all neighbours, gaps ascending */
    uint32_t need_count;
    uint32_t lists_most; /* ranks that costs are known of: half of the lists */
    float *gaps;         /* lists_most a sample, by rank */
    float *codes;        /* of all lists up to a rank */
};

enum similar_status similar_trial_init(const struct similar_set *set,
                                       const struct similar_level *level,
                                       struct similar_trial *trial);
void similar_trial_fini(struct similar_trial *trial);

/*
 * The least gap so that so many lists within that gap hold at least `share` of the neighbours;
 * infinity if even all of these lists do not.
 */
float similar_trial_margin(const struct similar_trial *trial, uint32_t probes, double share);
/* The fewest lists that hold at least `share` of the neighbours. */
uint32_t similar_trial_probes(const struct similar_trial *trial, double share);
/* The share of the neighbours of the first `samples` samples that these lists hold. */
double similar_trial_held(const struct similar_trial *trial, uint32_t samples, uint32_t probes,
                          float margin);
/* What opening lists and reading their codes costs a query; margin 0: all of `probes`. */
double similar_trial_cost(const struct similar_trial *trial, uint32_t probes, float margin);

/* Of searching with the first samples. */
struct similar_outcome {
    double recall;
    double cost;  /* a query */
    double bytes; /* int8 vectors looked at, a query */
};
struct similar_outcome similar_trial_run(struct similar_trial *trial,
                                         const struct similar_setting *setting);

/*
 * What is asked for to be given a target: one standard error more, with neighbours of one query
 * counted as half independent, for settings are chosen on the same queries that they are measured
 * on. `wanted` neighbours are measured.
 */
double similar_trial_aim(double target, double wanted);

/* Counted work in fixed weights: nanoseconds, roughly, where the weights were taken from. */
#define SIMILAR_COST_LIST 150.0
#define SIMILAR_COST_CODE 0.8
#define SIMILAR_COST_BYTE 30.0
#define SIMILAR_COST_MATCH 40.0

/* How many of `found` are as similar as the worst exact hit. */
uint32_t similar_hits_shared(const struct similar_hit *found, uint32_t found_count,
                             const struct similar_hit *exact, uint32_t exact_count);

#endif
