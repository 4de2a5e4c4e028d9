/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several examples: the positive side by best similarity to a positive, then the rest by how far
 * the best negative is ahead. The rule follows the idea of "best score" recommendation in vector
 * databases; the strict order of the two sides is ours, because it is what can be promised.
 *
 * Exactness. Candidates are found by their similarity to positives with the int8 bound, 16
 * positives a pass; each is then measured against every example on the floats. While fewer than k
 * vectors of the positive side are known, nothing is turned away, so that the rest is complete
 * when it is needed.
 */
#include "server/similar/similar_measure.h"
#include "server/similar/similar_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct composing {
    const struct similar_set *set;
    struct similar_scratch *scratch;
    const struct similar_examples *examples;
    struct similar_report *report;
    float *floats; /* all examples, padded: positives, then negatives */
    double *norms;
    uint64_t *seen; /* a bit a place */
    struct similar_hit *near_hits;
    struct similar_hit *far_hits;
    struct similar_top near; /* the positive side */
    struct similar_top far;  /* the rest; `similarity` holds the difference */
};

static void composing_free(struct composing *composing)
{
    free(composing->floats);
    free(composing->norms);
    free(composing->seen);
    free(composing->near_hits);
    free(composing->far_hits);
}

static const float *example_of(const struct composing *composing, uint32_t index)
{
    return composing->floats + (size_t)index * composing->set->space.dim_float;
}

static bool composing_allocate(struct composing *composing)
{
    const struct similar_set *set = composing->set;
    const struct similar_examples *examples = composing->examples;
    uint32_t total = examples->positive_count + examples->negative_count;
    uint32_t k = examples->base.k;
    size_t words = (size_t)set->chunk_count * SIMILAR_CHUNK / 64 + 1;
    composing->floats = calloc((size_t)total * set->space.dim_float, sizeof(float));
    composing->norms = calloc(total, sizeof *composing->norms);
    composing->seen = calloc(words, sizeof *composing->seen);
    composing->near_hits = calloc(k, sizeof *composing->near_hits);
    composing->far_hits = calloc(k, sizeof *composing->far_hits);
    if (composing->floats == NULL || composing->norms == NULL || composing->seen == NULL ||
        composing->near_hits == NULL || composing->far_hits == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < total; i++) {
        const float *from = i < examples->positive_count
                                ? examples->positives[i]
                                : examples->negatives[i - examples->positive_count];
        float *to = composing->floats + (size_t)i * set->space.dim_float;
        memcpy(to, from, set->space.dim * sizeof *to);
        composing->norms[i] = similar_norm(set->space.kernel, to, set->space.dim_float);
    }
    similar_top_init(&composing->near, composing->near_hits, k);
    similar_top_init(&composing->far, composing->far_hits, k);
    return true;
}

/* The best similarity of a place to the examples from `from` to `to`; -infinity of none. */
static double best_of(const struct composing *composing, uint32_t place, uint32_t from, uint32_t to,
                      uint32_t *example)
{
    const struct similar_set *set = composing->set;
    double best = (double)-INFINITY;
    for (uint32_t i = from; i < to; i++) {
        double similarity = similar_measure(
            set->space.kernel, set->space.metric, example_of(composing, i), composing->norms[i],
            similar_place_floats(set, place), similar_place_norm(set, place), set->space.dim_float);
        if (similarity > best) {
            best = similarity;
            *example = i - from;
        }
    }
    return best;
}

/* Measures a place against every example, once. */
static void place_compose(struct composing *composing, uint32_t place)
{
    uint64_t bit = (uint64_t)1 << place % 64;
    uint32_t id = similar_place_id(composing->set, place);
    if ((composing->seen[place / 64] & bit) != 0 ||
        !similar_query_admits(&composing->examples->base, id)) {
        return;
    }
    composing->seen[place / 64] |= bit;
    composing->report->floats_finished++;
    uint32_t positives = composing->examples->positive_count;
    uint32_t total = positives + composing->examples->negative_count;
    uint32_t ignored = 0;
    struct similar_hit hit = {.id = id};
    hit.similarity = best_of(composing, place, 0, positives, &hit.example);
    double against = best_of(composing, place, positives, total, &ignored);
    if (hit.similarity > against) {
        similar_top_push(&composing->near, hit);
    } else {
        hit.similarity -= against;
        similar_top_push(&composing->far, hit);
    }
}

/* What approximate searches around each positive find. */
static void positives_probe(struct composing *composing, const struct similar_setting *setting)
{
    const struct similar_set *set = composing->set;
    struct similar_scratch *scratch = composing->scratch;
    for (uint32_t i = 0; i < composing->examples->positive_count; i++) {
        struct similar_top top;
        struct similar_query query = composing->examples->base;
        query.vector = example_of(composing, i);
        similar_probe_init(&set->space, query.vector, true, &scratch->probes[0]);
        similar_top_init(&top, scratch->hits, query.k);
        similar_probe_search(set, scratch, &scratch->probes[0], &query, setting, &top,
                             composing->report);
        for (uint32_t h = 0; h < top.count; h++) {
            place_compose(composing, similar_place_of(set, top.hits[h].id));
        }
    }
}

static float compose_floor(const struct composing *composing)
{
    double worst = similar_top_worst(&composing->near);
    return worst > (double)-INFINITY ? similar_score_floor(composing->set->space.metric, worst)
                                     : -INFINITY;
}

/* All places of a chunk that may be near to one of up to 16 positives. */
static void chunk_compose(struct composing *composing, struct similar_bound16 *bound,
                          uint32_t count, uint32_t chunk)
{
    const struct similar_set *set = composing->set;
    uint16_t masks[SIMILAR_CHUNK];
    uint32_t tiles = set->chunks[chunk].tiles;
    float least = compose_floor(composing);
    for (uint32_t j = 0; j < SIMILAR_BATCH_MAX; j++) {
        bound->threshold[j] = j < count ? least : INFINITY;
    }
    set->space.kernel->scan_bytes16(similar_byte_tile(set, chunk, 0), tiles,
                                    similar_byte_tile(set, chunk, tiles), bound, masks);
    composing->report->bytes_scanned += (uint64_t)tiles * SIMILAR_TILE;
    for (uint32_t position = 0; position < tiles * SIMILAR_TILE; position++) {
        uint32_t wanted = similar_filter_mask(set, composing->examples->base.filter, chunk,
                                              position / SIMILAR_TILE);
        if (masks[position] != 0 && (wanted >> position % SIMILAR_TILE & 1) != 0) {
            place_compose(composing, chunk * SIMILAR_CHUNK + position);
        }
    }
}

/* One pass over the set with up to 16 positives, from `first`. */
static void pass_compose(struct composing *composing, uint32_t first, uint32_t count)
{
    const struct similar_set *set = composing->set;
    struct similar_scratch *scratch = composing->scratch;
    for (uint32_t j = 0; j < count; j++) {
        similar_probe_init(&set->space, example_of(composing, first + j), false,
                           &scratch->probes[j]);
    }
    similar_probes_interleave(set, scratch, count);
    for (uint32_t l = 0; l < set->list_count; l++) {
        struct similar_list_terms terms[SIMILAR_BATCH_MAX];
        for (uint32_t j = 0; j < count && set->lists[l].live > 0; j++) {
            terms[j] = similar_terms_of(set, &scratch->probes[j], l);
        }
        for (uint32_t i = 0; i < set->lists[l].chunk_count && set->lists[l].live > 0; i++) {
            struct similar_bound16 bound = {0};
            similar_bound16_of(set, scratch, terms, count, set->lists[l].items[i].chunk, &bound);
            chunk_compose(composing, &bound, count, set->lists[l].items[i].chunk);
        }
    }
}

/* The positive side, then as many of the rest as there is room for. */
static uint32_t compose_output(struct composing *composing, struct similar_hit *hits)
{
    uint32_t k = composing->examples->base.k;
    similar_top_sort(&composing->near);
    similar_top_sort(&composing->far);
    uint32_t count = composing->near.count;
    memcpy(hits, composing->near_hits, count * sizeof *hits);
    for (uint32_t i = 0; i < composing->far.count && count < k; i++) {
        struct similar_hit hit = composing->far_hits[i];
        uint32_t place = similar_place_of(composing->set, hit.id);
        hit.similarity =
            best_of(composing, place, 0, composing->examples->positive_count, &hit.example);
        hits[count++] = hit;
    }
    return count;
}

static enum similar_status examples_check(const struct similar_set *set,
                                          const struct similar_examples *examples)
{
    uint32_t positives = examples->positive_count;
    uint32_t negatives = examples->negative_count;
    if (positives == 0 || positives > SIMILAR_EXAMPLES_MAX || negatives > SIMILAR_EXAMPLES_MAX) {
        return SIMILAR_ERROR_OPTION;
    }
    struct similar_query query = examples->base;
    enum similar_status status = SIMILAR_OK;
    for (uint32_t i = 0; i < positives + negatives && status == SIMILAR_OK; i++) {
        query.vector = i < positives ? examples->positives[i] : examples->negatives[i - positives];
        status = similar_query_check(set, &query);
    }
    return status;
}

static void compose_run(struct composing *composing)
{
    const struct similar_set *set = composing->set;
    uint32_t positives = composing->examples->positive_count;
    uint32_t k = composing->examples->base.k;
    struct similar_setting setting = similar_setting_for(set, &composing->examples->base);
    bool approximate = setting.probes > 0;
    if (!approximate) {
        setting = (struct similar_setting){.probes = 8, .epsilon = 0.6f};
    }
    if (set->list_count > 1 && k <= SIMILAR_PROBE_K_MAX) {
        positives_probe(composing, &setting);
    }
    composing->report->path = SIMILAR_PATH_PROBE;
    composing->report->recall_expected = (double)setting.measured;
    if (approximate && composing->near.count == k) {
        return;
    }
    composing->report->path = SIMILAR_PATH_EXACT_SCAN;
    composing->report->exact = true;
    composing->report->recall_expected = 1;
    for (uint32_t first = 0; first < positives; first += SIMILAR_BATCH_MAX) {
        uint32_t left = positives - first;
        pass_compose(composing, first, left < SIMILAR_BATCH_MAX ? left : SIMILAR_BATCH_MAX);
    }
}

enum similar_status similar_compose(const struct similar_set *set, struct similar_scratch *scratch,
                                    const struct similar_examples *examples,
                                    struct similar_hit *hits, uint32_t *hit_count,
                                    struct similar_report *report)
{
    struct similar_report ignored;
    report = report != NULL ? report : &ignored;
    *report = (struct similar_report){0};
    *hit_count = 0;
    enum similar_status status = examples_check(set, examples);
    if (status == SIMILAR_OK) {
        status = similar_scratch_reserve(set, scratch, examples->base.k);
    }
    if (status != SIMILAR_OK) {
        return status;
    }
    struct composing composing = {
        .set = set, .scratch = scratch, .examples = examples, .report = report};
    if (composing_allocate(&composing)) {
        compose_run(&composing);
        *hit_count = compose_output(&composing, hits);
    } else {
        status = SIMILAR_ERROR_MEMORY;
    }
    composing_free(&composing);
    return status;
}
