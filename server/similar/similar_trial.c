/* SPDX-License-Identifier: Apache-2.0 */
#include "server/similar/similar_trial.h"

#include "server/similar/similar_random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void similar_trial_fini(struct similar_trial *trial)
{
    free(trial->hits);
    free(trial->hit_space);
    free(trial->queries);
    free(trial->hit_counts);
    free(trial->ids);
    free(trial->found);
    free(trial->words);
    free(trial->needs);
    free(trial->gaps);
    free(trial->codes);
    similar_filter_destroy(trial->filter);
    similar_scratch_destroy(trial->scratch);
}

static bool trial_allocate(struct similar_trial *trial)
{
    size_t ranks = (size_t)trial->count * trial->lists_most;
    trial->scratch = similar_scratch_create(trial->set);
    trial->queries = calloc(trial->count, sizeof *trial->queries);
    trial->hits = calloc(trial->count, sizeof *trial->hits);
    trial->hit_space = calloc((size_t)trial->count * trial->k, sizeof *trial->hit_space);
    trial->hit_counts = calloc(trial->count, sizeof *trial->hit_counts);
    trial->ids = calloc(trial->count, sizeof *trial->ids);
    trial->found = calloc(trial->k, sizeof *trial->found);
    trial->needs = calloc((size_t)trial->count * trial->k, sizeof *trial->needs);
    trial->gaps = calloc(ranks, sizeof *trial->gaps);
    trial->codes = calloc(ranks, sizeof *trial->codes);
    if (trial->scratch == NULL || trial->queries == NULL || trial->hits == NULL ||
        trial->hit_space == NULL || trial->hit_counts == NULL || trial->ids == NULL ||
        trial->found == NULL || trial->needs == NULL || trial->gaps == NULL ||
        trial->codes == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < trial->count; i++) {
        trial->hits[i] = trial->hit_space + (size_t)i * trial->k;
    }
    return true;
}

/* A filter that lets one of so many ids through, at random. */
static bool trial_filter(struct similar_trial *trial, uint32_t one_of)
{
    const struct similar_set *set = trial->set;
    uint64_t random = set->options.seed ^ 0x66696c746572ULL;
    if (one_of <= 1) {
        return true;
    }
    trial->word_count = set->place_room / 64 + 1;
    trial->words = calloc(trial->word_count, sizeof *trial->words);
    if (trial->words == NULL) {
        return false;
    }
    for (uint64_t id = 0; id < set->place_room; id++) {
        uint64_t pass = similar_random_below(&random, one_of) == 0;
        trial->words[id / 64] |= pass << id % 64;
    }
    trial->filter = similar_filter_create(set, trial->words, trial->word_count, NULL);
    return trial->filter != NULL;
}

/* Draws stored vectors as queries, by chance over the id directory. */
static void trial_draw(struct similar_trial *trial)
{
    const struct similar_set *set = trial->set;
    uint64_t random = set->options.seed ^ 0x7265636131ULL ^ trial->k;
    for (uint32_t i = 0; i < trial->count; i++) {
        uint64_t id = similar_random_below(&random, set->place_room);
        while (set->places[id] == SIMILAR_NONE) {
            id = (id + 1) % set->place_room;
        }
        trial->ids[i] = (uint32_t)id;
        trial->queries[i] = (struct similar_query){
            .vector = similar_get(set, (uint32_t)id),
            .k = trial->k,
            .filter = trial->filter,
            .exclude = &trial->ids[i],
            .exclude_count = 1,
        };
    }
}

/* How a sample is searched when its neighbours are to be found all but exactly. */
static struct similar_setting setting_wide(const struct similar_trial *trial, float margin)
{
    return (struct similar_setting){.probes = trial->lists_most, .epsilon = 2.0f, .margin = margin};
}

static void sample_search(struct similar_trial *trial, uint32_t sample,
                          const struct similar_setting *setting, struct similar_top *top,
                          struct similar_report *report)
{
    struct similar_probe *probe = &trial->scratch->probes[0];
    similar_probe_init(&trial->set->space, trial->queries[sample].vector, true, probe);
    similar_probe_search(trial->set, trial->scratch, probe, &trial->queries[sample], setting, top,
                         report);
    similar_top_sort(top);
}

/* Whether a wide search finds what the exact search found for the first samples. */
static bool wide_agrees(struct similar_trial *trial, const struct similar_setting *wide,
                        uint32_t checked)
{
    struct similar_report report = {0};
    struct similar_top top;
    uint64_t wanted = 0;
    uint64_t shared = 0;
    for (uint32_t i = 0; i < checked; i++) {
        similar_top_init(&top, trial->found, trial->k);
        sample_search(trial, i, wide, &top, &report);
        wanted += trial->hit_counts[i];
        shared +=
            similar_hits_shared(trial->found, top.count, trial->hits[i], trial->hit_counts[i]);
    }
    return shared * 2000 >= wanted * 1999;
}

/* The neighbours of the samples: see the header. */
static enum similar_status trial_neighbours(struct similar_trial *trial)
{
    enum { CHECKED = 48, EXACT_MAX = 256 };
    struct similar_report report = {0};
    uint32_t checked = trial->count < CHECKED ? trial->count : CHECKED;
    enum similar_status status = similar_search_many(trial->set, trial->scratch, trial->queries,
                                                     checked, trial->hits, trial->hit_counts);
    if (status != SIMILAR_OK) {
        return status;
    }
    struct similar_setting wide = setting_wide(trial, 1.2f);
    bool agrees = wide_agrees(trial, &wide, checked);
    if (!agrees) {
        wide = setting_wide(trial, 0);
        agrees = wide_agrees(trial, &wide, checked);
    }
    if (!agrees) {
        trial->count = trial->count < EXACT_MAX ? trial->count : EXACT_MAX;
        return similar_search_many(trial->set, trial->scratch, trial->queries + checked,
                                   trial->count - checked, trial->hits + checked,
                                   trial->hit_counts + checked);
    }
    for (uint32_t i = checked; i < trial->count; i++) {
        struct similar_top top;
        similar_top_init(&top, trial->hits[i], trial->k);
        sample_search(trial, i, &wide, &top, &report);
        trial->hit_counts[i] = top.count;
    }
    return SIMILAR_OK;
}

/* The distance of the k-th neighbour as a search that stops by distance sees it. */
static float distance_kth(const struct similar_trial *trial, uint32_t query)
{
    uint32_t count = trial->hit_counts[query];
    if (count < trial->k || trial->set->space.metric == SIMILAR_DOT) {
        return INFINITY;
    }
    double similarity = trial->hits[query][count - 1].similarity;
    if (trial->set->space.metric == SIMILAR_L2) {
        double distance = 1 / similarity - 1;
        return (float)(distance * distance);
    }
    return (float)(2 - 2 * similarity);
}

/* Where the neighbours of one sample lie, and what the lists before them hold. */
static void query_needs(struct similar_trial *trial, uint32_t query, uint32_t *rank_of)
{
    const struct similar_set *set = trial->set;
    float *gaps = trial->gaps + (size_t)query * trial->lists_most;
    float *codes = trial->codes + (size_t)query * trial->lists_most;
    float distance = distance_kth(trial, query);
    float best = 0;
    double sum = 0;
    struct similar_probe *probe = &trial->scratch->probes[0];
    struct similar_ranking ranking;
    memset(rank_of, 0xff, set->list_count * sizeof *rank_of);
    similar_probe_init(&set->space, trial->queries[query].vector, true, probe);
    similar_ranking_begin(set, trial->scratch, probe, &ranking);
    for (uint32_t rank = 0; rank < trial->lists_most; rank++) {
        float score = -INFINITY;
        uint32_t list = similar_ranking_next(&ranking, &score);
        if (list != SIMILAR_NONE) {
            best = rank == 0 ? score : best;
            rank_of[list] = rank;
            sum += (double)set->lists[list].chunk_count * SIMILAR_CHUNK;
        }
        gaps[rank] = distance > 0 ? (best - score) / distance : INFINITY;
        codes[rank] = (float)sum;
    }
    for (uint32_t i = 0; i < trial->hit_counts[query]; i++) {
        uint32_t place = similar_place_of(set, trial->hits[query][i].id);
        uint32_t list = similar_header_of(set->chunks[place / SIMILAR_CHUNK].code)->list;
        uint32_t rank = rank_of[list];
        trial->needs[trial->need_count++] = (struct similar_need){
            .rank = rank, .sample = query, .gap = rank < trial->lists_most ? gaps[rank] : INFINITY};
    }
}

static int compare_need(const void *a, const void *b)
{
    const struct similar_need *x = a;
    const struct similar_need *y = b;
    return (x->gap > y->gap) - (x->gap < y->gap);
}

static bool trial_needs(struct similar_trial *trial)
{
    uint32_t *rank_of = calloc(trial->set->list_count + 1, sizeof *rank_of);
    if (rank_of == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < trial->count; i++) {
        query_needs(trial, i, rank_of);
    }
    free(rank_of);
    qsort(trial->needs, trial->need_count, sizeof *trial->needs, compare_need);
    return true;
}

enum similar_status similar_trial_init(const struct similar_set *set,
                                       const struct similar_level *level,
                                       struct similar_trial *trial)
{
    *trial = (struct similar_trial){
        .set = set,
        .count = level->samples,
        .searched = level->searched,
        .k = level->k,
        .lists_most = set->list_count / 2 > 1 ? set->list_count / 2 : 1,
    };
    if (!trial_allocate(trial) || !trial_filter(trial, level->one_of)) {
        return SIMILAR_ERROR_MEMORY;
    }
    trial_draw(trial);
    enum similar_status status = trial_neighbours(trial);
    return status != SIMILAR_OK || trial_needs(trial) ? status : SIMILAR_ERROR_MEMORY;
}

float similar_trial_margin(const struct similar_trial *trial, uint32_t probes, double share)
{
    double wanted = share * trial->need_count;
    double within = 0;
    for (uint32_t i = 0; i < trial->need_count && trial->needs[i].gap < INFINITY; i++) {
        within += trial->needs[i].rank < probes;
        if (within >= wanted) {
            return trial->needs[i].gap;
        }
    }
    return INFINITY;
}

uint32_t similar_trial_probes(const struct similar_trial *trial, double share)
{
    uint32_t low = 1;
    uint32_t high = trial->lists_most;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        uint32_t within = 0;
        for (uint32_t i = 0; i < trial->need_count; i++) {
            within += trial->needs[i].rank < middle;
        }
        if (within >= share * trial->need_count) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

double similar_trial_held(const struct similar_trial *trial, uint32_t samples, uint32_t probes,
                          float margin)
{
    double held = 0;
    double all = 0;
    for (uint32_t i = 0; i < trial->need_count; i++) {
        const struct similar_need *need = &trial->needs[i];
        bool near = margin <= 0 || need->gap <= margin;
        all += need->sample < samples;
        held += need->sample < samples && need->rank < probes && near;
    }
    return all > 0 ? held / all : 1;
}

double similar_trial_cost(const struct similar_trial *trial, uint32_t probes, float margin)
{
    double cost = 0;
    uint32_t most = probes < trial->lists_most ? probes : trial->lists_most;
    for (uint32_t q = 0; q < trial->count; q++) {
        const float *gaps = trial->gaps + (size_t)q * trial->lists_most;
        uint32_t low = 1; /* the nearest list is always opened */
        uint32_t high = most;
        while (margin > 0 && low < high) {
            uint32_t middle = low + (high - low) / 2;
            if (gaps[middle] <= margin) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        uint32_t opened = margin > 0 ? low : most;
        cost +=
            SIMILAR_COST_LIST * opened +
            SIMILAR_COST_CODE * (double)trial->codes[(size_t)q * trial->lists_most + opened - 1];
    }
    return cost / trial->count;
}

double similar_trial_aim(double target, double wanted)
{
    return target + fmin(sqrt(2 * target * (1 - target) / fmax(wanted, 1)), (1 - target) / 2);
}

uint32_t similar_hits_shared(const struct similar_hit *found, uint32_t found_count,
                             const struct similar_hit *exact, uint32_t exact_count)
{
    uint32_t shared = 0;
    for (uint32_t i = 0; i < found_count && exact_count > 0; i++) {
        shared += found[i].similarity >= exact[exact_count - 1].similarity;
    }
    return shared;
}

struct similar_outcome similar_trial_run(struct similar_trial *trial,
                                         const struct similar_setting *setting)
{
    uint64_t wanted = 0;
    uint64_t shared = 0;
    uint64_t bytes = 0;
    double cost = 0;
    for (uint32_t i = 0; i < trial->searched; i++) {
        struct similar_report report = {0};
        struct similar_top top;
        similar_top_init(&top, trial->found, trial->k);
        sample_search(trial, i, setting, &top, &report);
        wanted += trial->hit_counts[i];
        shared +=
            similar_hits_shared(trial->found, top.count, trial->hits[i], trial->hit_counts[i]);
        bytes += report.bytes_scanned;
        cost += SIMILAR_COST_LIST * (double)report.lists_probed +
                SIMILAR_COST_CODE * (double)report.codes_scanned +
                SIMILAR_COST_BYTE * (double)report.bytes_scanned;
    }
    return (struct similar_outcome){
        /* Half a miss more than was seen: seeing none does not prove that there are none. */
        .recall = wanted > 0 && shared > 0 ? ((double)shared - 0.5) / (double)wanted : 0,
        .cost = cost / trial->searched,
        .bytes = (double)bytes / trial->searched,
    };
}
