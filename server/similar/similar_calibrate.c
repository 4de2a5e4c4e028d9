/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a recall target costs. After a build, stored vectors are asked for their neighbours (not
 * counting themselves), exactly and with a ladder of settings; each target gets the cheapest
 * setting that reached it. Cost is counted work in fixed weights, not time, so that the same data
 * gives the same settings everywhere.
 *
 * Depth is how far down the order of all vectors an answer reaches: k, or k divided by the share
 * that a filter lets through. It is measured at 10 and 100 (k = 10 and 100) and at 1,000 (k = 10
 * among a random hundredth); probes between are interpolated on the logarithm.
 *
 * Assumptions: queries look like stored vectors, and a filter has little to do with distance.
 * Where that is not so, similar_recall measures.
 */
#include "server/similar/similar_random.h"
#include "server/similar/similar_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FEWEST_VECTORS = 2000, STEPS_MAX = 40 };

/* A depth: its k, how many samples, and one of how many ids passes the filter. */
struct level {
    uint32_t k;
    uint32_t samples;
    uint32_t one_of;
};
static const struct level LEVELS[SIMILAR_LEVELS] = {{10, 192, 1}, {100, 32, 1}, {10, 64, 100}};

/* Nanoseconds, roughly, on the machine that the weights were taken from. */
static const double COST_LIST = 150;
static const double COST_CODE = 0.8;
static const double COST_BYTE = 30;
static const double COST_MATCH = 40;

static const float TARGETS[SIMILAR_TARGETS] = {0.9f, 0.95f, 0.975f, 0.99f, 0.995f, 0.999f};
static const float EPSILONS[] = {0.5f, 0.65f, 0.8f, 1.0f, 1.3f};
static const float MARGINS[] = {0.65f, 0.85f, 1.1f};

struct trial {
    const struct similar_set *set;
    struct similar_scratch *scratch;
    struct similar_query *queries;
    struct similar_hit **hits; /* exact */
    uint32_t *hit_counts;
    uint32_t *ids; /* of the samples, each its query's exclusion */
    struct similar_hit *found;
    uint64_t *words; /* of the filter */
    size_t word_count;
    struct similar_filter *filter; /* NULL at depths without */
    uint32_t count;
    uint32_t k;
};

static void trial_free(struct trial *trial)
{
    for (uint32_t i = 0; trial->hits != NULL && i < trial->count; i++) {
        free(trial->hits[i]);
    }
    free(trial->hits);
    free(trial->queries);
    free(trial->hit_counts);
    free(trial->ids);
    free(trial->found);
    free(trial->words);
    similar_filter_destroy(trial->filter);
    similar_scratch_destroy(trial->scratch);
}

static bool trial_allocate(struct trial *trial)
{
    trial->scratch = similar_scratch_create(trial->set);
    trial->queries = calloc(trial->count, sizeof *trial->queries);
    trial->hits = calloc(trial->count, sizeof *trial->hits);
    trial->hit_counts = calloc(trial->count, sizeof *trial->hit_counts);
    trial->ids = calloc(trial->count, sizeof *trial->ids);
    trial->found = calloc(trial->k, sizeof *trial->found);
    if (trial->scratch == NULL || trial->queries == NULL || trial->hits == NULL ||
        trial->hit_counts == NULL || trial->ids == NULL || trial->found == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < trial->count; i++) {
        trial->hits[i] = calloc(trial->k, sizeof **trial->hits);
        if (trial->hits[i] == NULL) {
            return false;
        }
    }
    return true;
}

/* A filter that lets one of so many ids through, at random. */
static bool trial_filter(struct trial *trial, uint32_t one_of)
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
static void trial_draw(struct trial *trial)
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

/* How many of `found` are as similar as the worst exact hit. */
static uint32_t hits_shared(const struct similar_hit *found, uint32_t found_count,
                            const struct similar_hit *exact, uint32_t exact_count)
{
    uint32_t shared = 0;
    for (uint32_t i = 0; i < found_count && exact_count > 0; i++) {
        shared += found[i].similarity >= exact[exact_count - 1].similarity;
    }
    return shared;
}

struct outcome {
    double recall;
    double wanted; /* neighbours that the recall is a share of */
    double cost;   /* a query */
};

static struct outcome trial_run(struct trial *trial, struct similar_setting setting)
{
    uint64_t wanted = 0;
    uint64_t shared = 0;
    double cost = 0;
    for (uint32_t i = 0; i < trial->count; i++) {
        struct similar_report report = {0};
        struct similar_top top;
        struct similar_probe *probe = &trial->scratch->probes[0];
        similar_top_init(&top, trial->found, trial->k);
        similar_probe_init(&trial->set->space, trial->queries[i].vector, true, probe);
        similar_probe_search(trial->set, trial->scratch, probe, &trial->queries[i], &setting, &top,
                             &report);
        similar_top_sort(&top);
        wanted += trial->hit_counts[i];
        shared += hits_shared(trial->found, top.count, trial->hits[i], trial->hit_counts[i]);
        cost += COST_LIST * (double)report.lists_probed + COST_CODE * (double)report.codes_scanned +
                COST_BYTE * (double)report.bytes_scanned;
    }
    return (struct outcome){
        .recall = wanted > 0 ? (double)shared / (double)wanted : 1,
        .wanted = (double)wanted,
        .cost = cost / trial->count,
    };
}

/*
 * Keeps a setting for every target that it reaches more cheaply than what is kept. Half a standard
 * error more than the target is asked for, since the cheapest of many is also the luckiest.
 */
static void offer(struct similar_setting *settings, double *costs, struct similar_setting setting,
                  struct outcome outcome)
{
    setting.measured = (float)outcome.recall;
    for (uint32_t t = 0; t < SIMILAR_TARGETS; t++) {
        double target = (double)TARGETS[t];
        double cushion = 0.5 * sqrt(target * (1 - target) / fmax(outcome.wanted, 1));
        if (outcome.recall >= target + cushion && outcome.cost < costs[t]) {
            setting.target = TARGETS[t];
            settings[t] = setting;
            costs[t] = outcome.cost;
        }
    }
}

static uint32_t probes_step(uint32_t step)
{
    /* 2, 3, 4, 6, 8, 12, 16, 24 ... */
    return (step % 2 == 0 ? 2u : 3u) << step / 2;
}

/*
 * Climbs the ladder of probes for one width of the bound, from `first`, until more lists stop
 * helping. Returns the step from which a wider bound may start: lower ones miss every target.
 */
static uint32_t climb(struct trial *trial, float epsilon, uint32_t first,
                      struct similar_setting *settings, double *costs)
{
    double before = -1;
    uint32_t next = first;
    uint32_t flat = 0;
    for (uint32_t step = first; step < STEPS_MAX; step++) {
        struct similar_setting setting = {.probes = probes_step(step), .epsilon = epsilon};
        if (setting.probes > trial->set->list_count / 2) {
            break;
        }
        struct outcome outcome = trial_run(trial, setting);
        offer(settings, costs, setting, outcome);
        next = outcome.recall < 0.85 ? step : next;
        /* One step without gain is chance; two in a row are the end of this bound's reach. */
        flat = outcome.recall < before + 0.0005 && outcome.recall > 0.9 ? flat + 1 : 0;
        if (outcome.recall >= (double)TARGETS[SIMILAR_TARGETS - 1] || flat == 2) {
            break;
        }
        before = outcome.recall;
    }
    return next;
}

/* Looks whether stopping early by distance beats a fixed number of lists. */
static void widen(struct trial *trial, struct similar_setting *settings, double *costs)
{
    struct similar_setting plain[SIMILAR_TARGETS];
    memcpy(plain, settings, sizeof plain);
    for (uint32_t t = 0; t < SIMILAR_TARGETS; t++) {
        bool repeated = t > 0 && plain[t].probes == plain[t - 1].probes &&
                        !(plain[t].epsilon > plain[t - 1].epsilon);
        for (uint32_t m = 0; m < sizeof MARGINS / sizeof *MARGINS; m++) {
            struct similar_setting setting = plain[t];
            if (setting.probes == 0 || repeated || trial->set->space.metric == SIMILAR_DOT) {
                break;
            }
            setting.margin = MARGINS[m];
            setting.probes *= 2;
            offer(settings, costs, setting, trial_run(trial, setting));
        }
    }
}

static enum similar_status level_calibrate(struct similar_set *set, const struct level *level,
                                           struct similar_setting *settings)
{
    double costs[SIMILAR_TARGETS];
    struct trial trial = {.set = set, .count = level->samples, .k = level->k};
    enum similar_status status = SIMILAR_ERROR_MEMORY;
    for (uint32_t t = 0; t < SIMILAR_TARGETS; t++) {
        settings[t] = (struct similar_setting){.target = TARGETS[t]};
        costs[t] = (double)INFINITY;
    }
    if (trial_allocate(&trial) && trial_filter(&trial, level->one_of)) {
        trial_draw(&trial);
        status = similar_search_many(set, trial.scratch, trial.queries, trial.count, trial.hits,
                                     trial.hit_counts);
    }
    if (status == SIMILAR_OK) {
        uint32_t first = 0;
        for (uint32_t e = 0; e < sizeof EPSILONS / sizeof *EPSILONS; e++) {
            first = climb(&trial, EPSILONS[e], first, settings, costs);
        }
        widen(&trial, settings, costs);
    }
    for (uint32_t t = 0; t < SIMILAR_TARGETS; t++) {
        settings[t].depth = level->k * level->one_of;
    }
    trial_free(&trial);
    return status;
}

enum similar_status similar_calibrate(struct similar_set *set)
{
    memset(set->settings, 0, sizeof set->settings);
    if (set->list_count < 2 || set->count < FEWEST_VECTORS) {
        return SIMILAR_OK;
    }
    enum similar_status status = SIMILAR_OK;
    for (uint32_t l = 0; l < SIMILAR_LEVELS && status == SIMILAR_OK; l++) {
        status = level_calibrate(set, &LEVELS[l], set->settings[l]);
    }
    return status;
}

/* Between two depths, and beyond the second: probes grow by a power of the depth. */
static struct similar_setting setting_between(struct similar_setting low,
                                              struct similar_setting high, double depth)
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
    return setting_between(set->settings[level][target], set->settings[level + 1][target], depth);
}

/* Whether visiting the matches one by one costs less than probing lists for them. */
static bool matches_cost_less(const struct similar_set *set, uint32_t probes, double share)
{
    double list = (double)set->count / set->list_count;
    double touched = fmin(1, 16 * share);
    double probing = probes * (COST_LIST + COST_CODE * list * touched);
    return (double)set->count * share * COST_MATCH < probing;
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
    for (uint32_t t = 0; t < SIMILAR_TARGETS && share > 0; t++) {
        struct similar_setting setting = setting_at(set, t, query->k / share);
        if ((double)TARGETS[t] >= query->recall - 1e-6 && setting.probes > 0) {
            bool few = query->filter != NULL && matches_cost_less(set, setting.probes, share);
            return few || setting.probes > set->list_count / 2 ? exact : setting;
        }
    }
    return exact;
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
        shared += hits_shared(found, found_count, exact, exact_count);
    }
    free(exact);
    free(found);
    *recall = wanted > 0 ? (double)shared / (double)wanted : 1;
    return status;
}
