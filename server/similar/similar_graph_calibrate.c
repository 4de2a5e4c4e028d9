/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What effort a recall target takes on the graph, and whether the partitions reach it with less
 * work. The same sample queries, their exact neighbours and the same aims as in
 * similar_calibrate.c, at depths 10 and 100, and at 10 behind filters; effort is doubled until the
 * aim is reached, then halved into the gap. Work is counted in fixed weights, so that the same data
 * is answered the same way everywhere. A target that the graph does not reach, or not with less
 * work, is left to the partitions.
 */
#include "server/similar/similar_graph.h"
#include "server/similar/similar_trial.h"

#include <math.h>
#include <string.h>

/*
 * Nanoseconds against those of similar_trial.h, both measured on two busy cores with AVX2 (60,000 x
 * 128, A and M): a visit waits for its memory, about five bytes a dimension, which codes of lists
 * do not. The partitions rank their lists first, which their own costs leave out.
 */
#define COST_VISIT 120.0
#define COST_VISIT_DIM 2.5
#define COST_RANK 28.0 /* of a list */
/* Behind a filter the partitions pass over tiles without a match, so a graph has to cost half. */
#define COST_FILTERED 2.0
#define COST_EXACT_DIM 0.06 /* of a vector that an exact scan reads */

static const struct similar_level LEVELS[SIMILAR_GRAPH_LEVELS] = {{10, 1024, 512, 1, 2},
                                                                  {100, 128, 64, 1, 1}};

/* Asks the samples with one effort. */
static struct similar_outcome trial_walk(struct similar_trial *trial, uint32_t effort)
{
    const struct similar_set *set = trial->set;
    struct similar_probe *probe = &trial->scratch->probes[0];
    struct similar_outcome outcome = {0};
    uint64_t wanted = 0;
    uint64_t shared = 0;
    uint64_t visits = 0;
    for (uint32_t i = 0; i < trial->count; i++) {
        struct similar_report report = {0};
        struct similar_top top;
        /* Its own links would give the answer away. */
        trial->scratch->walk->skip = set->graph->vertex_of[trial->ids[i]];
        similar_top_init(&top, trial->found, trial->k);
        similar_probe_init(&set->space, trial->queries[i].vector, false, probe);
        if (similar_graph_search(set, trial->scratch, &trial->queries[i], effort, &top, &report)) {
            similar_top_sort(&top);
            shared +=
                similar_hits_shared(trial->found, top.count, trial->hits[i], trial->hit_counts[i]);
        }
        wanted += trial->hit_counts[i];
        visits += report.bytes_scanned;
    }
    trial->scratch->walk->skip = SIMILAR_NONE;
    outcome.bytes = (double)visits / trial->count;
    outcome.cost = outcome.bytes * (COST_VISIT + COST_VISIT_DIM * set->graph->dim) *
                   (trial->filter != NULL ? COST_FILTERED : 1.0);
    outcome.recall = wanted > 0 && shared > 0 ? ((double)shared - 0.5) / (double)wanted : 0;
    return outcome;
}

/* The least effort, from `least` on, that reaches the aim at less than `cost`; 0: none does. */
static uint32_t effort_find(struct similar_trial *trial, uint32_t least, double aim, double cost,
                            struct similar_outcome *best)
{
    uint32_t low = least - 1; /* does not reach it, or need not be tried */
    uint32_t high = least;
    for (;;) {
        *best = trial_walk(trial, high);
        if (best->recall >= aim) {
            break;
        }
        if (high == SIMILAR_GRAPH_EFFORT_MAX || best->cost >= cost) {
            return 0;
        }
        low = high;
        high = 2 * high < SIMILAR_GRAPH_EFFORT_MAX ? 2 * high : (uint32_t)SIMILAR_GRAPH_EFFORT_MAX;
    }
    while (high - low > 1 && (high - low) * 32 > high) {
        uint32_t middle = low + (high - low) / 2;
        struct similar_outcome outcome = trial_walk(trial, middle);
        if (outcome.recall >= aim) {
            high = middle;
            *best = outcome;
        } else {
            low = middle;
        }
    }
    return best->cost < cost ? high : 0;
}

/* What the partitions spend at the same target: without a setting they scan everything, or visit
 * what passes the filter. */
static double partitions_cost(struct similar_trial *trial, double target)
{
    const struct similar_set *set = trial->set;
    const struct similar_query query = {.k = trial->k, .recall = target, .filter = trial->filter};
    struct similar_setting setting = similar_setting_for(set, &query);
    double scan = (double)set->count * set->space.dim_padded * COST_EXACT_DIM;
    if (setting.probes > 0) {
        return similar_trial_run(trial, &setting).cost + COST_RANK * set->list_count;
    }
    return trial->filter != NULL ? fmin(scan, (double)trial->filter->count * SIMILAR_COST_MATCH)
                                 : scan;
}

/* Efforts of one level, for targets as the partitions have them. */
static enum similar_status level_calibrate(struct similar_set *set,
                                           const struct similar_level *level,
                                           struct similar_setting *settings)
{
    struct similar_trial trial;
    enum similar_status status = similar_trial_init(set, level, &trial);
    uint32_t least = level->k;
    if (status == SIMILAR_OK) {
        trial.scratch->walk = similar_walk_create();
        status = trial.scratch->walk != NULL ? SIMILAR_OK : SIMILAR_ERROR_MEMORY;
    }
    for (uint32_t t = 0; t < SIMILAR_TARGETS; t++) {
        settings[t] = (struct similar_setting){.target = set->settings[0][t].target,
                                               .depth = level->k * level->one_of};
    }
    for (uint32_t t = 0; t < SIMILAR_TARGETS && status == SIMILAR_OK && trial.need_count > 0; t++) {
        struct similar_outcome outcome;
        double cost = partitions_cost(&trial, (double)settings[t].target);
        double aim = similar_trial_aim((double)settings[t].target, trial.need_count);
        settings[t].probes = effort_find(&trial, least, aim, cost, &outcome);
        if (settings[t].probes > 0) {
            settings[t].measured = (float)fmin(outcome.recall, 1);
            least = settings[t].probes;
        }
    }
    similar_trial_fini(&trial);
    return status;
}

enum similar_status similar_graph_calibrate(struct similar_set *set)
{
    enum similar_status status = SIMILAR_OK;
    struct similar_graph *graph = set->graph;
    memset(graph->settings, 0, sizeof graph->settings);
    memset(graph->filtered, 0, sizeof graph->filtered);
    for (uint32_t l = 0; l < SIMILAR_GRAPH_LEVELS && status == SIMILAR_OK; l++) {
        status = level_calibrate(set, &LEVELS[l], graph->settings[l]);
    }
    for (uint32_t f = 0; f < SIMILAR_GRAPH_FILTERS && status == SIMILAR_OK; f++) {
        const struct similar_level level = {.k = SIMILAR_GRAPH_FILTER_K,
                                            .samples = 256,
                                            .searched = 256,
                                            .one_of = similar_graph_one_of(f),
                                            .fitted = 1};
        status = level_calibrate(set, &level, graph->filtered[f]);
    }
    return status;
}
