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
 * Nanoseconds against those of similar_trial.h, both measured on two busy cores with AVX2 (30,000
 * and 60,000 x 128, A and M): a visit waits for its memory, about five bytes a dimension, which
 * codes of lists do not. The partitions rank their lists first, which their own costs leave out.
 */
#define COST_VISIT 180.0
#define COST_VISIT_DIM 3.75
#define COST_RANK 28.0 /* of a list */
/* Behind a filter the partitions pass over tiles without a match, so a graph has to cost half. */
#define COST_FILTERED 2.0
#define COST_EXACT_DIM 0.06 /* of a vector that an exact scan reads */

enum { SAMPLED_PART = 8, SAMPLED_LEAST = 256 };
static const struct similar_level LEVELS[SIMILAR_GRAPH_LEVELS] = {{10, 1024, 512, 1, 2},
                                                                  {100, 128, 64, 1, 1}};

/* What a calibration looks for: the recall to reach, below a cost. */
struct wish {
    double aim;
    double cost;
};

enum verdict { VERDICT_MET, VERDICT_SHORT, VERDICT_DEAR };

/* The neighbours that a walk of one sample finds; adds its visits. */
static uint32_t sample_walk(struct similar_trial *trial, uint32_t sample, uint32_t effort,
                            uint64_t *visits)
{
    const struct similar_set *set = trial->set;
    struct similar_probe *probe = &trial->scratch->probes[0];
    struct similar_report report = {0};
    struct similar_top top;
    /* Its own links would give the answer away. */
    trial->scratch->walk->skip = set->graph->vertex_of[trial->ids[sample]];
    similar_top_init(&top, trial->found, trial->k);
    similar_probe_init(&set->space, trial->queries[sample].vector, false, probe);
    bool found =
        similar_graph_search(set, trial->scratch, &trial->queries[sample], effort, &top, &report);
    trial->scratch->walk->skip = SIMILAR_NONE;
    *visits += report.bytes_scanned;
    if (!found) {
        return 0;
    }
    similar_top_sort(&top);
    return similar_hits_shared(trial->found, top.count, trial->hits[sample],
                               trial->hit_counts[sample]);
}

/* Asks the samples with one effort; only as many as it takes to see that the wish is not met. */
static enum verdict trial_walk(struct similar_trial *trial, uint32_t effort,
                               const struct wish *wish, struct similar_outcome *outcome)
{
    double each = (COST_VISIT + COST_VISIT_DIM * trial->set->graph->dim) *
                  (trial->filter != NULL ? COST_FILTERED : 1.0);
    uint64_t wanted = 0;
    uint64_t missed = 0;
    uint64_t visits = 0;
    for (uint32_t i = 0; i < trial->count; i++) {
        wanted += trial->hit_counts[i];
    }
    for (uint32_t i = 0; i < trial->count; i++) {
        missed += trial->hit_counts[i] - sample_walk(trial, i, effort, &visits);
        outcome->recall = ((double)(wanted - missed) - 0.5) / (double)wanted;
        if (!(outcome->recall >= wish->aim)) {
            return VERDICT_SHORT;
        }
        if ((double)visits * each >= wish->cost * trial->count) {
            return VERDICT_DEAR;
        }
    }
    outcome->bytes = (double)visits / trial->count;
    outcome->cost = outcome->bytes * each;
    return VERDICT_MET;
}

/*
 * The least effort that meets the wish; 0: none does. *best is what came of `known` effort (0: none
 * is known) for a lesser wish, and becomes what comes of this one.
 */
static uint32_t effort_find(struct similar_trial *trial, uint32_t known, const struct wish *wish,
                            struct similar_outcome *best)
{
    uint32_t low = known > 0 ? known : trial->k - 1; /* does not reach it, or need not be tried */
    uint32_t high = known > 0 ? known : trial->k;
    uint32_t found = 0;
    struct similar_outcome outcome;
    if (known > 0 && best->recall >= wish->aim) {
        return best->cost < wish->cost ? known : 0;
    }
    enum verdict verdict = known > 0 ? VERDICT_SHORT : trial_walk(trial, high, wish, &outcome);
    while (verdict == VERDICT_SHORT) {
        if (high == SIMILAR_GRAPH_EFFORT_MAX) {
            return 0;
        }
        low = high;
        high = 2 * high < SIMILAR_GRAPH_EFFORT_MAX ? 2 * high : (uint32_t)SIMILAR_GRAPH_EFFORT_MAX;
        verdict = trial_walk(trial, high, wish, &outcome);
    }
    for (;;) {
        if (verdict == VERDICT_MET) {
            found = high;
            *best = outcome;
        }
        uint32_t middle = low + (high - low) / 2;
        if (high - low <= 1 || (high - low) * 32 <= high) {
            return found;
        }
        verdict = trial_walk(trial, middle, wish, &outcome);
        low = verdict == VERDICT_SHORT ? middle : low;
        high = verdict == VERDICT_SHORT ? high : middle;
    }
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
    struct similar_level fewer = *level;
    /* As many as a small set is worth; the aim knows how many neighbours it is measured on. */
    uint64_t worth = set->count / SAMPLED_PART > SAMPLED_LEAST ? set->count / SAMPLED_PART
                                                               : (uint64_t)SAMPLED_LEAST;
    fewer.samples = worth < level->samples ? (uint32_t)worth : level->samples;
    fewer.searched = fewer.samples < level->searched ? fewer.samples : level->searched;
    enum similar_status status = similar_trial_init(set, &fewer, &trial);
    uint32_t known = 0;
    struct similar_outcome outcome = {0};
    if (status == SIMILAR_OK) {
        trial.scratch->walk = similar_walk_create();
        status = trial.scratch->walk != NULL ? SIMILAR_OK : SIMILAR_ERROR_MEMORY;
    }
    for (uint32_t t = 0; t < SIMILAR_TARGETS; t++) {
        settings[t] = (struct similar_setting){.target = set->settings[0][t].target,
                                               .depth = level->k * level->one_of};
    }
    for (uint32_t t = 0; t < SIMILAR_TARGETS && status == SIMILAR_OK && trial.need_count > 0; t++) {
        struct similar_outcome best = outcome;
        const struct wish wish = {
            .aim = similar_trial_aim((double)settings[t].target, trial.need_count),
            .cost = partitions_cost(&trial, (double)settings[t].target)};
        settings[t].probes = effort_find(&trial, known, &wish, &best);
        if (settings[t].probes > 0) {
            settings[t].measured = (float)fmin(best.recall, 1);
            known = settings[t].probes;
            outcome = best;
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
