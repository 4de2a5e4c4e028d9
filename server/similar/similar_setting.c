/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which setting answers a query: what calibration found for the targets next to the one asked for,
 * and for the depths next to the query's, and what lies between them.
 *
 * Between two targets the settings are interpolated on -ln(1 - recall), on which the logarithm of
 * the number of lists grows about evenly; so every target has its own price.
 */
#include "server/similar/similar_trial.h"

#include <math.h>
#include <stdlib.h>

/* Between two depths, and beyond the second: probes grow by a power of the depth. */
static struct similar_setting depth_between(struct similar_setting low, struct similar_setting high,
                                            double depth)
{
    if (low.probes == 0 || high.probes == 0) {
        return (struct similar_setting){0};
    }
    double steps = log10(depth / low.depth);
    double ratio = (double)high.probes / low.probes;
    double probes = ceil(low.probes * pow(ratio > 1 ? ratio : 1, steps));
    bool both = low.margin > 0 && high.margin > 0 && steps <= 1;
    return (struct similar_setting){
        .target = low.target,
        .measured = fminf(low.measured, high.measured),
        .probes = probes < 1e6 ? (uint32_t)probes : 1000000,
        .epsilon = fmaxf(low.epsilon, high.epsilon),
        /* A stop by distance holds for the depths it was measured at. */
        .margin = both ? fmaxf(low.margin, high.margin) : 0.0f,
    };
}

static struct similar_setting setting_at(const struct similar_set *set, uint32_t target,
                                         double depth)
{
    struct similar_setting first = set->settings[0][target];
    if (depth <= first.depth) {
        return first;
    }
    uint32_t level = depth <= set->settings[1][target].depth ? 0 : 1;
    return depth_between(set->settings[level][target], set->settings[level + 1][target], depth);
}

static float blend(float low, float high, double share)
{
    return (float)((double)low + ((double)high - (double)low) * share);
}

/* Between two targets; `recall` is above the lower one. */
static struct similar_setting target_between(struct similar_setting low,
                                             struct similar_setting high, double recall)
{
    if (low.probes == 0 || low.probes > high.probes || recall >= (double)high.target - 1e-6) {
        return high;
    }
    double from = -log(1 - (double)low.target);
    double share = (-log(1 - recall) - from) / (-log(1 - (double)high.target) - from);
    bool both = low.margin > 0 && high.margin > 0;
    double ratio = (double)high.probes / low.probes;
    return (struct similar_setting){
        .target = (float)recall,
        .measured = blend(low.measured, high.measured, share),
        .probes = (uint32_t)ceil(low.probes * pow(ratio, share) - 1e-9),
        .epsilon = blend(low.epsilon, high.epsilon, share),
        .margin = both ? blend(low.margin, high.margin, share) : high.margin,
        .depth = high.depth,
    };
}

/* The cheapest setting that reaches a recall; none (probes 0) if calibration knows of none. */
static struct similar_setting setting_reaching(const struct similar_set *set, double recall,
                                               double depth)
{
    struct similar_setting before = {0};
    for (uint32_t t = 0; t < SIMILAR_TARGETS; t++) {
        struct similar_setting setting = setting_at(set, t, depth);
        bool reaches = (double)setting.target >= recall - 1e-6 && setting.probes > 0;
        if (reaches) {
            return target_between(before, setting, recall);
        }
        before = setting;
    }
    return (struct similar_setting){0};
}

/* Whether visiting the matches one by one costs less than probing lists for them. */
static bool matches_cost_less(const struct similar_set *set, uint32_t probes, double share)
{
    double list = (double)set->count / set->list_count;
    double touched = fmin(1, 16 * share);
    double probing = probes * (SIMILAR_COST_LIST + SIMILAR_COST_CODE * list * touched);
    return (double)set->count * share * SIMILAR_COST_MATCH < probing;
}

struct similar_setting similar_setting_for(const struct similar_set *set,
                                           const struct similar_query *query)
{
    const struct similar_setting exact = {0};
    if (query->probes > 0) {
        return (struct similar_setting){
            .probes = set->list_count > 1 && query->k <= SIMILAR_PROBE_K_MAX ? query->probes : 0,
            .epsilon = query->epsilon > 0 ? query->epsilon : 0.8f,
            .margin = query->margin,
        };
    }
    bool wanted = query->recall > 0 && query->recall < 1;
    if (!wanted || query->k > SIMILAR_PROBE_K_MAX || set->list_count < 2 || set->count == 0) {
        return exact;
    }
    double share = query->filter == NULL ? 1 : (double)query->filter->count / (double)set->count;
    if (!(share > 0)) {
        return exact;
    }
    struct similar_setting setting = setting_reaching(set, query->recall, query->k / share);
    bool few = query->filter != NULL && matches_cost_less(set, setting.probes, share);
    return few || setting.probes > set->list_count / 2 ? exact : setting;
}

enum similar_status similar_recall(const struct similar_set *set, struct similar_scratch *scratch,
                                   const struct similar_query *queries, uint32_t query_count,
                                   double *recall)
{
    uint64_t wanted = 0;
    uint64_t shared = 0;
    struct similar_hit *exact = malloc(SIMILAR_K_MAX * sizeof *exact);
    struct similar_hit *found = malloc(SIMILAR_K_MAX * sizeof *found);
    enum similar_status status = exact != NULL && found != NULL ? SIMILAR_OK : SIMILAR_ERROR_MEMORY;
    for (uint32_t i = 0; i < query_count && status == SIMILAR_OK; i++) {
        struct similar_query query = queries[i];
        uint32_t exact_count = 0;
        uint32_t found_count = 0;
        status = similar_search(set, scratch, &query, found, &found_count, NULL);
        query.recall = 1;
        query.probes = 0;
        if (status == SIMILAR_OK) {
            status = similar_search(set, scratch, &query, exact, &exact_count, NULL);
        }
        wanted += exact_count;
        shared += similar_hits_shared(found, found_count, exact, exact_count);
    }
    free(exact);
    free(found);
    *recall = wanted > 0 ? (double)shared / (double)wanted : 1;
    return status;
}
