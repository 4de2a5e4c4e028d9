/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which queries the graph answers, and how: a walk ranks vertices on the grid, and the best half as
 * many again as were asked for are settled on the stored floats, like what the partitions find. An
 * account without a current vertex cannot be missed for long: the graph follows each change, and
 * answers no more once it has missed one or a third of it has changed. Exact searches and whatever
 * was not calibrated are for the partitions, and so is a walk that comes back with fewer than were
 * asked for.
 *
 * Behind a filter a walk goes the same way and keeps what passes, so it has to go on for longer:
 * how long was calibrated for a half and a tenth, at random. A filter that passes less than that,
 * or an answer of more than ten, is for the partitions. A filter may have to do with distance:
 * where it lets pass what is near, the walk finds more than was promised; where less than half of
 * what was expected passed among the visited, it is given up and the partitions answer.
 */
#include "server/similar/similar_graph.h"

#include <math.h>

enum { SPARE_LEAST = 14 };

/* At one target, by depth: effort grows by a power of k. */
static struct similar_setting setting_at(const struct similar_graph *graph, uint32_t target,
                                         uint32_t k)
{
    struct similar_setting low = graph->settings[0][target];
    struct similar_setting high = graph->settings[1][target];
    if (k <= low.depth || low.probes == 0) {
        return low;
    }
    if (high.probes == 0) {
        return high;
    }
    double ratio = (double)high.probes / low.probes;
    double steps = log10((double)k / low.depth);
    low.probes = (uint32_t)ceil(low.probes * pow(ratio > 1 ? ratio : 1, steps) - 1e-9);
    low.measured = fminf(low.measured, high.measured);
    return low;
}

uint32_t similar_graph_one_of(uint32_t filter)
{
    static const uint32_t one_of[SIMILAR_GRAPH_FILTERS] = {2, 10};
    return one_of[filter];
}

/* At one target, by the share that passes a filter: effort grows by a power of it. */
static struct similar_setting setting_passing(const struct similar_graph *graph, uint32_t target,
                                              double share)
{
    struct similar_setting low = graph->settings[0][target];
    double from = 1;
    for (uint32_t f = 0; f < SIMILAR_GRAPH_FILTERS; f++) {
        struct similar_setting high = graph->filtered[f][target];
        double to = similar_graph_one_of(f);
        if (low.probes == 0 || high.probes == 0) {
            break;
        }
        /* Filters of just a tenth pass a little less by chance. */
        if (share * to >= 0.9) {
            double steps = log(1 / (share * from)) / log(to / from);
            double ratio = (double)high.probes / low.probes;
            low.probes = (uint32_t)ceil(low.probes * pow(ratio > 1 ? ratio : 1, steps) - 1e-9);
            low.measured = fminf(low.measured, high.measured);
            return low;
        }
        low = high;
        from = to;
    }
    return (struct similar_setting){.target = low.target};
}

static double share_of(const struct similar_set *set, const struct similar_query *query)
{
    return query->filter == NULL ? 1 : (double)query->filter->count / (double)set->count;
}

static struct similar_setting setting_of(const struct similar_set *set, uint32_t target,
                                         const struct similar_query *query)
{
    return query->filter == NULL ? setting_at(set->graph, target, query->k)
                                 : setting_passing(set->graph, target, share_of(set, query));
}

static struct similar_setting setting_between(const struct similar_set *set,
                                              const struct similar_query *query)
{
    double recall = query->recall;
    struct similar_setting high = setting_of(set, 0, query);
    for (uint32_t t = 1; t < SIMILAR_TARGETS && (double)high.target + 1e-6 < recall; t++) {
        struct similar_setting low = high;
        high = setting_of(set, t, query);
        if (low.probes == 0 || high.probes == 0 || (double)high.target - 1e-6 <= recall) {
            continue;
        }
        double from = -log(1 - (double)low.target);
        double share = (-log(1 - recall) - from) / (-log(1 - (double)high.target) - from);
        double ratio = (double)high.probes / low.probes;
        if (share > 0) {
            high.probes = (uint32_t)ceil(low.probes * pow(ratio, share) - 1e-9);
            high.measured = (float)((double)low.measured +
                                    ((double)high.measured - (double)low.measured) * share);
            high.target = (float)recall;
        }
    }
    return high;
}

struct similar_setting similar_graph_setting(const struct similar_set *set,
                                             const struct similar_query *query)
{
    const struct similar_graph *graph = set->graph;
    if (graph != NULL && query->effort > 0 && query->k <= SIMILAR_PROBE_K_MAX) {
        return (struct similar_setting){.probes = query->effort};
    }
    uint32_t k_most =
        query->filter != NULL ? (uint32_t)SIMILAR_GRAPH_FILTER_K : (uint32_t)SIMILAR_PROBE_K_MAX;
    bool ours = graph != NULL && similar_graph_current(graph) && query->recall > 0 &&
                query->recall < 1 && query->probes == 0 && !query->partitions && query->k <= k_most;
    double most = ours ? (double)graph->settings[0][SIMILAR_TARGETS - 1].target : 0;
    if (!ours || query->recall > most + 1e-6) {
        return (struct similar_setting){0};
    }
    return setting_between(set, query);
}

bool similar_graph_search(const struct similar_set *set, struct similar_scratch *scratch,
                          const struct similar_query *query, uint32_t effort,
                          struct similar_top *top, struct similar_report *report)
{
    const struct similar_graph *graph = set->graph;
    const struct similar_probe *probe = &scratch->probes[0];
    uint32_t room = query->k + (query->k / 2 > SPARE_LEAST ? query->k / 2 : (uint32_t)SPARE_LEAST);
    uint32_t places[SIMILAR_GRAPH_FOUND_MAX];
    uint32_t count = 0;
    if (scratch->walk == NULL) {
        scratch->walk = similar_walk_create();
    }
    struct similar_walk *walk = scratch->walk;
    if (walk == NULL || !similar_walk_reserve(walk, graph->count)) {
        return false;
    }
    similar_aim_query(graph, probe->rotated, &walk->aim);
    similar_graph_walk(set, walk, effort, room, query);
    if (query->filter != NULL && 2 * walk->admitted < share_of(set, query) * walk->visited_count) {
        return false;
    }
    for (uint32_t i = 0; i < walk->found_count; i++) {
        uint32_t id = similar_vertex_of(graph, (uint32_t)walk->found[i])->id;
        __builtin_prefetch(&set->places[id]);
    }
    for (uint32_t i = 0; i < walk->found_count; i++) {
        uint32_t place =
            similar_place_of(set, similar_vertex_of(graph, (uint32_t)walk->found[i])->id);
        if (place != SIMILAR_NONE) {
            places[count++] = place;
        }
    }
    report->path = SIMILAR_PATH_GRAPH;
    report->lists_probed = 0;
    report->codes_scanned = (uint64_t)walk->visited_count * SIMILAR_GRAPH_LINKS;
    report->bytes_scanned = walk->visited_count;
    similar_finish(set, probe, query, places, count, top, report);
    return top->count >= query->k;
}
