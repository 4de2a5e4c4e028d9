/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/lookalike/lookalike_contend.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Halvings of the gap between two targets: a 16th of it is left. */
enum { TARGET_STEPS = 4 };

static struct lookalike_pass ours_pass(void *context)
{
    const struct lookalike_ours *ours = context;
    const struct lookalike_bench *bench = ours->bench;
    struct lookalike_pass pass = {.asked = bench->asked};
    const double *truth = ours->filtered ? bench->truth_filtered : bench->truth;
    double start = lookalike_now();
    for (uint32_t q = bench->from; q < bench->from + bench->asked; q++) {
        struct similar_hit hits[LOOKALIKE_K];
        uint32_t count = 0;
        struct similar_query query = {
            .vector = lookalike_query(bench, q),
            .k = LOOKALIKE_K,
            .recall = ours->target,
            .partitions = ours->partitions,
            .effort = ours->effort,
            .filter = ours->filtered ? bench->filter : NULL,
        };
        similar_search(bench->set, bench->scratch, &query, hits, &count, NULL);
        for (uint32_t i = 0; i < count; i++) {
            pass.found += hits[i].similarity >= truth[q];
        }
    }
    pass.seconds = lookalike_now() - start;
    return pass;
}

static double recall_of(struct lookalike_pass pass)
{
    return (double)pass.found / ((double)pass.asked * LOOKALIKE_K);
}

static double target_try(struct lookalike_ours *ours, double target)
{
    ours->target = target;
    return recall_of(ours_pass(ours));
}

/* The least target that reaches the recall: one after another until one does, then halved into the
 * gap, as the peers' effort is. */
static bool target_find(struct lookalike_ours *ours, double recall, double *reached)
{
    static const double targets[] = {0.9, 0.925, 0.95, 0.975, 0.985, 0.99, 0.995, 0.999, 1};
    double low = 0; /* does not reach it */
    double high = 0;
    for (size_t t = 0; t < sizeof targets / sizeof *targets && high <= 0; t++) {
        *reached = target_try(ours, targets[t]);
        if (*reached >= recall) {
            high = targets[t];
        } else {
            low = targets[t];
        }
    }
    bool between = low > 0 && high > 0 && high < 1;
    for (unsigned step = 0; between && step < TARGET_STEPS; step++) {
        double middle = (low + high) / 2;
        double found = target_try(ours, middle);
        if (found >= recall) {
            high = middle;
            *reached = found;
        } else {
            low = middle;
        }
    }
    ours->target = high;
    return high > 0;
}

bool lookalike_ours_enter(struct lookalike_case *what, struct lookalike_ours *ours, double recall)
{
    struct lookalike_contender *contender =
        lookalike_contender_add(what, ours->partitions ? LOOKALIKE_PARTITIONS : LOOKALIKE_ICPD);
    if (contender == NULL || !target_find(ours, recall, &contender->recall)) {
        return false;
    }
    contender->context = ours;
    contender->on_pass = ours_pass;
    snprintf(contender->setting, sizeof contender->setting,
             ours->target < 1 ? "recall target %.4g" : "exact", ours->target);
    return true;
}

static double effort_try(struct lookalike_ours *ours, uint32_t effort)
{
    ours->effort = effort;
    return recall_of(ours_pass(ours));
}

bool lookalike_graph_enter(struct lookalike_case *what, struct lookalike_ours *ours, double recall)
{
    enum { EFFORT_MAX = 1024 };
    uint32_t low = LOOKALIKE_K - 1; /* is not tried: an answer takes as many */
    uint32_t high = LOOKALIKE_K;
    double reached = 0;
    if (!(ours->bench->graph_seconds > 0) || ours->filtered) {
        return false;
    }
    ours->target = 0.9; /* any but exact: effort decides */
    while ((reached = effort_try(ours, high)) < recall && high < EFFORT_MAX) {
        low = high;
        high *= 2;
    }
    if (reached < recall) {
        return false;
    }
    while (high - low > 1 && (high - low) * 50 > high) {
        uint32_t middle = low + (high - low) / 2;
        double found = effort_try(ours, middle);
        if (found >= recall) {
            high = middle;
            reached = found;
        } else {
            low = middle;
        }
    }
    ours->effort = high;
    struct lookalike_contender *contender = lookalike_contender_add(what, LOOKALIKE_GRAPH);
    if (contender == NULL) {
        return false;
    }
    contender->recall = reached;
    contender->context = ours;
    contender->on_pass = ours_pass;
    snprintf(contender->setting, sizeof contender->setting, "effort %u", high);
    return true;
}

/* How many of the ids found for query `q` are among its true nearest. */
static uint32_t true_count(const struct lookalike_rival *rival, uint32_t q, const uint32_t *ids,
                           size_t count)
{
    const struct lookalike_bench *bench = rival->bench;
    const struct lookalike_data *data = &bench->data;
    double truth = rival->filtered ? bench->truth_filtered[q] : bench->truth[q];
    uint32_t found = 0;
    for (size_t n = 0; n < count; n++) {
        const float *row = data->vectors + (size_t)ids[n] * data->dim;
        bool passes = !rival->filtered || (bench->words[ids[n] / 64] >> ids[n] % 64 & 1) != 0;
        found += passes &&
                 similar_pair(bench->metric, lookalike_query(bench, q), row, data->dim) >= truth;
    }
    return found;
}

static struct lookalike_pass rival_pass(void *context)
{
    const struct lookalike_rival *rival = context;
    const struct lookalike_bench *bench = rival->bench;
    uint32_t part = rival->kind->query_part;
    struct lookalike_pass pass = {.asked = (bench->asked + part - 1) / part};
    uint32_t *found = calloc(pass.asked, LOOKALIKE_K * sizeof *found);
    size_t *counts = calloc(pass.asked, sizeof *counts);
    if (found != NULL && counts != NULL) {
        double start = lookalike_now();
        for (uint32_t i = 0; i < pass.asked; i++) {
            counts[i] =
                rival->kind->search(rival->peer, lookalike_query(bench, bench->from + i * part),
                                    LOOKALIKE_K, found + (size_t)i * LOOKALIKE_K);
        }
        pass.seconds = lookalike_now() - start;
        for (uint32_t i = 0; i < pass.asked; i++) {
            pass.found += true_count(rival, bench->from + i * part, found + (size_t)i * LOOKALIKE_K,
                                     counts[i]);
        }
    }
    free(found);
    free(counts);
    return pass;
}

static struct lookalike_pass rival_try(struct lookalike_rival *rival, size_t effort)
{
    rival->effort = effort;
    rival->kind->effort(rival->peer, rival->variant, effort);
    return rival_pass(rival);
}

/* The least effort that reaches the recall: doubled until it does, then halved into the gap, so
 * that a peer is not charged for overshooting. */
static bool effort_find(struct lookalike_rival *rival, double recall, struct lookalike_pass *best)
{
    size_t low = 0; /* does not reach it */
    size_t high = rival->kind->effort_min;
    for (;;) {
        *best = rival_try(rival, high);
        if (recall_of(*best) >= recall) {
            break;
        }
        low = high;
        if (high >= rival->kind->effort_max) {
            return false;
        }
        high = high * 2 < rival->kind->effort_max ? high * 2 : rival->kind->effort_max;
    }
    while (high - low > 1 && (high - low) * 50 > high) {
        size_t middle = low + (high - low) / 2;
        struct lookalike_pass pass = rival_try(rival, middle);
        if (recall_of(pass) >= recall) {
            high = middle;
            *best = pass;
        } else {
            low = middle;
        }
    }
    rival->effort = high;
    return true;
}

bool lookalike_rival_build(struct lookalike_rival *rival, const char *cache, bool patient)
{
    char path[512];
    const struct lookalike_data *data = &rival->bench->data;
    bool keeps = cache != NULL && rival->kind->file != NULL;
    if (keeps) {
        snprintf(path, sizeof path, "%s/%s-%c-%ux%u", cache, rival->kind->file, data->name,
                 data->count, data->dim);
    }
    if (rival->kind->takes_minutes && !patient && !(keeps && access(path, R_OK) == 0)) {
        return false;
    }
    const struct peer_input input = {.vectors = data->vectors,
                                     .count = data->count,
                                     .dim = data->dim,
                                     .words = rival->filtered ? rival->bench->words : NULL,
                                     .path = keeps ? path : NULL};
    rival->peer = rival->kind->create(&input, &rival->build_seconds);
    return rival->peer != NULL;
}

bool lookalike_rival_enter(struct lookalike_case *what, struct lookalike_rival *rival,
                           double recall)
{
    struct lookalike_rival best = *rival;
    struct lookalike_pass best_pass = {0};
    for (unsigned variant = 0; variant < rival->kind->variants; variant++) {
        struct lookalike_pass pass;
        rival->variant = variant;
        bool reached = effort_find(rival, recall, &pass);
        if (reached && (best_pass.seconds <= 0 || pass.seconds < best_pass.seconds)) {
            best = *rival;
            best_pass = pass;
        }
    }
    if (best_pass.seconds <= 0) {
        printf("  %s does not reach a recall of %g and is left out\n", rival->kind->name, recall);
        return false;
    }
    *rival = best;
    struct lookalike_contender *contender = lookalike_contender_add(what, rival->kind->name);
    if (contender == NULL) {
        return false;
    }
    rival->kind->effort(rival->peer, rival->variant, rival->effort);
    contender->context = rival;
    contender->on_pass = rival_pass;
    contender->recall = recall_of(best_pass);
    if (rival->kind->knob != NULL) {
        snprintf(contender->setting, sizeof contender->setting, "%s %zu", rival->kind->knob,
                 rival->effort);
    }
    return true;
}

void lookalike_rival_leave(struct lookalike_rival *rival)
{
    if (rival->peer != NULL) {
        rival->kind->destroy(rival->peer);
    }
    rival->peer = NULL;
}
