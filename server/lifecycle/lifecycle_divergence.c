/* SPDX-License-Identifier: Apache-2.0 */
/* The accounts of each group and of the list over the values of a field: an account counts once for
 * each group that works it. */
#include <stdlib.h>
#include <string.h>

#include "server/base/grow.h"
#include "server/engine/walk.h"
#include "server/lifecycle/lifecycle_keep.h"
#include "server/lifecycle/lifecycle_parameter.h"
#include "server/lifecycle/lifecycle_table.h"

/* Of groups × segments: 80 MB. */
enum { CELLS_MAX = 10000000 };

bool lifecycle_divergence_read(const struct lifecycle_request *request,
                               struct lifecycle_settings *settings, struct proto_fault *fault)
{
    struct measure_divergence_options *options = &settings->keep.divergence;
    if (request->by.bytes == 0) {
        return proto_fault_set(fault, PROTO_MISSING_FIELD, "by",
                               "divergence needs it: the field whose values are the segments");
    }
    if (lifecycle_given(request, "a")) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "parameters.a",
                               "it is of files; tal names a list that is stored");
    }
    return lifecycle_keep_read(request, settings, fault) &&
           lifecycle_count(request, "top", &options->top, fault) &&
           lifecycle_count(request, "segments", &options->segments, fault) &&
           lifecycle_count(request, "resamples", &options->permutations, fault) &&
           lifecycle_count(request, "seed", &options->seed, fault) &&
           lifecycle_count(request, "least", &options->least, fault);
}

struct pair {
    uint32_t group, segment;
};

struct parting {
    struct lifecycle_working working;
    const struct feature_field *by;
    struct lifecycle_names segments;
    struct pair *pairs; /* of accounts that are worked */
    size_t count, room;
    uint32_t *listed; /* segments of the list's accounts */
    size_t listed_count, listed_room;
    uint32_t *last; /* by group: account that counted last, from 1 */
    size_t last_room;
};

static bool pair_add(struct parting *all, uint32_t group, uint32_t segment,
                     struct proto_fault *fault)
{
    size_t before = all->last_room;
    if (!base_grow(&all->last, &all->last_room, (size_t)group + 1, sizeof *all->last, "groups",
                   fault)) {
        return false;
    }
    if (all->last_room > before) {
        memset(all->last + before, 0, (all->last_room - before) * sizeof *all->last);
    }
    if (all->last[group] == all->working.accounts) {
        return true;
    }
    all->last[group] = all->working.accounts;
    if (!base_grow(&all->pairs, &all->room, all->count + 1, sizeof *all->pairs, "accounts",
                   fault)) {
        return false;
    }
    all->pairs[all->count++] = (struct pair){group, segment};
    return true;
}

static bool segment_find(struct parting *all, uint32_t slot, uint32_t *segment,
                         struct proto_fault *fault)
{
    struct engine_worker *worker = all->working.run->worker;
    if (!engine_values(worker, slot, NULL, fault)) {
        return lifecycle_fault_of(worker, slot, fault);
    }
    return lifecycle_segment_of(&all->segments, worker, all->by, segment, fault);
}

static bool account_add(void *context, uint32_t slot, struct proto_fault *fault)
{
    struct parting *all = context;
    const struct lifecycle_collect *collect = &all->working.collect;
    bool on_list = lifecycle_on_list(&all->working, slot);
    uint32_t segment = 0;
    if (!on_list && collect->count == 0) {
        return true;
    }
    if (!segment_find(all, slot, &segment, fault)) {
        return false;
    }
    if (on_list) {
        if (!base_grow(&all->listed, &all->listed_room, all->listed_count + 1, sizeof *all->listed,
                       "accounts", fault)) {
            return false;
        }
        all->listed[all->listed_count++] = segment;
    }
    for (size_t i = 0; i < collect->count; i++) {
        const struct event *event = collect->events[i].event;
        uint32_t group = 0;
        if (lifecycle_is_act(&all->working, event) &&
            (!lifecycle_work_group(&all->working, event, &group, fault) ||
             !pair_add(all, group, segment, fault))) {
            return false;
        }
    }
    return true;
}

static bool table_fill(struct parting *all, struct proto_fault *fault)
{
    struct lifecycle_run *run = all->working.run;
    size_t groups = all->working.groups.count;
    size_t segments = all->segments.count;
    if (segments > MEASURE_DIVERGENCE_SEGMENTS_MAX || groups * segments > CELLS_MAX) {
        return proto_fault_set(fault, PROTO_LIMIT, "by",
                               "%zu groups over %zu segments are more than can be compared", groups,
                               segments);
    }
    double *counts = calloc((groups + 1) * segments + 1, sizeof *counts);
    if (counts == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu groups", groups);
    }
    double *listed = counts + groups * segments;
    for (size_t i = 0; i < all->count; i++) {
        counts[all->pairs[i].group * segments + all->pairs[i].segment] += 1;
    }
    for (size_t i = 0; i < all->listed_count; i++) {
        listed[all->listed[i]] += 1;
    }
    const struct measure_crowd crowd = {counts, listed, groups, segments};
    bool good = measure_divergence_table(&crowd, (const char *const *)all->working.groups.texts,
                                         (const char *const *)all->segments.texts,
                                         &run->settings.keep.divergence, &run->pace,
                                         &run->result->table, fault);
    free(counts);
    return good;
}

bool lifecycle_divergence_look(struct lifecycle_run *run, struct proto_fault *fault)
{
    struct parting all = {.working = {.account = account_add}};
    all.working.context = &all;
    bool good = lifecycle_field_find(run->worker, run->request->by, "by", false, &all.by, fault) &&
                lifecycle_segments_begin(&all.segments, fault) &&
                lifecycle_working_open(&all.working, run, true, fault) &&
                lifecycle_working_walk(&all.working, fault) && table_fill(&all, fault);
    lifecycle_working_close(&all.working);
    lifecycle_names_fini(&all.segments);
    free(all.pairs);
    free(all.listed);
    free(all.last);
    return good;
}
