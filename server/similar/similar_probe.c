/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Approximate search: near lists, 1-bit estimates with a bound, int8 scores, floats.
 *
 * Lists are taken in the order of their centres' distance, until `probes` of them, or until the
 * next centre is farther than the nearest one by more than `margin` times the distance of the
 * k-th best so far (squares; L2 and cosine). A query amid its cluster stops early, one between
 * clusters goes on: that is worth more than a fixed number of lists. Within a list a vector is
 * looked at as int8 only when the upper end of its estimate reaches the k-th best int8 score; the
 * best of those are settled on the floats.
 *
 * Deviations from RaBitQ: see similar_encode.h; and the bound's width is calibrated to a recall
 * instead of being set for near certainty.
 */
#include "server/similar/similar_measure.h"
#include "server/similar/similar_search.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

static void pool_push(struct similar_pool *pool, float score, uint32_t place)
{
    if (pool->count == pool->room && !(score > pool->scores[pool->count - 1])) {
        return;
    }
    uint32_t at = pool->count < pool->room ? pool->count++ : pool->room - 1;
    while (at > 0 && pool->scores[at - 1] < score) {
        pool->scores[at] = pool->scores[at - 1];
        pool->places[at] = pool->places[at - 1];
        at--;
    }
    pool->scores[at] = score;
    pool->places[at] = place;
}

/* Ids that may be excluded while the first list still gives a threshold. */
enum { SURPLUS_MAX = 32 };

/* One search in flight. */
struct probing {
    const struct similar_set *set;
    struct similar_scratch *scratch;
    const struct similar_probe *probe;
    const struct similar_query *query;
    struct similar_report *report;
    uint32_t k;
    float epsilon;
    float alpha;      /* of int8 scores */
    float threshold;  /* int8 score of the k-th best; -FLT_MAX before there are k */
    bool masked;      /* the filter's masks are fresh */
    bool checked;     /* candidates need a look at their id */
    uint32_t surplus; /* of the excluded ids, which a first threshold has to count with */
};

static void candidate_prefetch(const struct similar_set *set, uint32_t place)
{
    uint32_t position = place % SIMILAR_CHUNK;
    uint32_t slot = position % SIMILAR_TILE;
    uint32_t dim = set->space.dim_padded;
    const uint8_t *tile = similar_byte_tile(set, place / SIMILAR_CHUNK, position / SIMILAR_TILE);
    const uint8_t *row = tile + 192 + (size_t)slot * dim;
    __builtin_prefetch(tile + slot * 8);
    for (uint32_t k = 0; k < dim; k += 64) {
        __builtin_prefetch(row + k);
    }
}

/* Scores the oldest `count` pending candidates on their bytes. */
static void pending_score(struct probing *search, uint32_t count)
{
    const struct similar_set *set = search->set;
    const struct similar_probe *probe = search->probe;
    struct similar_scratch *scratch = search->scratch;
    struct similar_pool *pool = &scratch->pool;
    uint32_t dim = set->space.dim_padded;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t place = scratch->pending[i].place;
        uint32_t position = place % SIMILAR_CHUNK;
        uint32_t slot = position % SIMILAR_TILE;
        const uint8_t *tile =
            similar_byte_tile(set, place / SIMILAR_CHUNK, position / SIMILAR_TILE);
        if (search->checked && !similar_query_admits(search->query, similar_place_id(set, place))) {
            continue;
        }
        float factors[2];
        memcpy(factors, tile + slot * 8, sizeof factors);
        int32_t dot =
            set->space.kernel->dot_row(tile + 192 + (size_t)slot * dim, probe->bytes, dim);
        float score = (float)(dot - probe->correction) * search->alpha;
        score = score * factors[0] + (factors[1] + scratch->pending[i].list_byte);
        pool_push(pool, score, place);
    }
    search->report->bytes_scanned += count;
    scratch->pending_count -= count;
    memmove(scratch->pending, scratch->pending + count,
            scratch->pending_count * sizeof scratch->pending[0]);
    if (pool->count >= search->k) {
        float reached = pool->scores[search->k - 1];
        search->threshold = reached > search->threshold ? reached : search->threshold;
    }
}

/* Adds the candidates of one chunk to the pending ones, and has their bytes fetched. */
static void masks_collect(struct probing *search, const struct similar_item *item,
                          const uint16_t *masks, float list_byte)
{
    struct similar_scratch *scratch = search->scratch;
    for (uint32_t t = 0; t < item->tiles; t++) {
        for (uint32_t mask = masks[t]; mask != 0; mask &= mask - 1) {
            uint32_t place =
                item->chunk * SIMILAR_CHUNK + t * SIMILAR_TILE + (uint32_t)__builtin_ctz(mask);
            candidate_prefetch(search->set, place);
            scratch->pending[scratch->pending_count++] =
                (struct similar_pending){.place = place, .list_byte = list_byte};
        }
    }
}

static const uint8_t *item_tile(const struct similar_set *set, const struct similar_item *item,
                                uint32_t tile)
{
    return item->code + sizeof(struct similar_header) + tile * similar_code_tile_bytes(set);
}

/* Scans one chunk with a filter: only tiles that hold a match. */
static void chunk_scan_masked(struct probing *search, const struct similar_item *item,
                              const struct similar_estimate *estimate, float least, uint16_t *masks)
{
    const struct similar_set *set = search->set;
    for (uint32_t t = 0; t < item->tiles; t++) {
        uint16_t wanted = similar_filter_mask(set, search->query->filter, item->chunk, t);
        masks[t] = 0;
        if (wanted != 0) {
            set->space.kernel->scan_codes(item_tile(set, item, t), 1, estimate, least, &masks[t]);
            masks[t] &= wanted;
            search->report->codes_scanned += SIMILAR_TILE;
        }
    }
}

/*
 * Before there are k candidates: the k-th best lower end among the estimates of a list is a
 * threshold that k of its vectors reach, at the confidence of the bound.
 */
static float first_threshold(struct probing *search, const struct similar_list *list,
                             struct similar_estimate estimate, double list_code, float width)
{
    const struct similar_set *set = search->set;
    float best[SIMILAR_PROBE_K_MAX + SURPLUS_MAX];
    uint32_t count = 0;
    /* So many more that the excluded ones may be among them. */
    uint32_t k = search->k + search->surplus;
    assert(k > 0 && k <= sizeof best / sizeof *best);
    estimate.beta -= 2 * width;
    for (uint32_t i = 0; i < list->chunk_count; i++) {
        const struct similar_item *item = &list->items[i];
        for (uint32_t t = 0; t < item->tiles; t++) {
            float scores[SIMILAR_TILE];
            uint32_t wanted = UINT16_MAX;
            if (search->masked) {
                wanted = similar_filter_mask(set, search->query->filter, item->chunk, t);
            }
            if (wanted == 0) {
                continue;
            }
            set->space.kernel->score_codes(item_tile(set, item, t), &estimate, scores);
            for (; wanted != 0; wanted &= wanted - 1) {
                float score = scores[__builtin_ctz(wanted)];
                if (count == k && !(score > best[count - 1])) {
                    continue;
                }
                uint32_t at = count < k ? count++ : count - 1;
                for (; at > 0 && best[at - 1] < score; at--) {
                    best[at] = best[at - 1];
                }
                best[at] = score;
            }
        }
    }
    bool full = count == k && best[count - 1] > -FLT_MAX;
    return full ? best[count - 1] + (float)list_code : -FLT_MAX;
}

static void list_scan(struct probing *search, uint32_t number, bool first)
{
    const struct similar_set *set = search->set;
    const struct similar_probe *probe = search->probe;
    const struct similar_list *list = &set->lists[number];
    struct similar_scratch *scratch = search->scratch;
    struct similar_list_terms terms = similar_terms_of(set, probe, number);
    float width = search->epsilon * (float)terms.distance;
    struct similar_estimate estimate = {
        .table = probe->table,
        .dim = set->space.dim_padded,
        .alpha = (float)probe->table_step,
        .beta = (float)-probe->table_sum + width,
    };
    if (first && search->surplus <= SURPLUS_MAX) {
        search->threshold = first_threshold(search, list, estimate, terms.code, width);
    }
    for (uint32_t i = 0; i < list->chunk_count; i++) {
        const struct similar_item *item = &list->items[i];
        uint16_t masks[SIMILAR_CHUNK_TILES];
        uint32_t older = scratch->pending_count;
        float least =
            search->threshold > -FLT_MAX ? search->threshold - (float)terms.code : -FLT_MAX;
        if (search->masked) {
            chunk_scan_masked(search, item, &estimate, least, masks);
        } else {
            set->space.kernel->scan_codes(item_tile(set, item, 0), item->tiles, &estimate, least,
                                          masks);
            search->report->codes_scanned += (uint64_t)item->tiles * SIMILAR_TILE;
        }
        masks_collect(search, item, masks, (float)terms.byte);
        /* The candidates of the chunk before have arrived in the cache by now. */
        pending_score(search, older);
    }
    search->report->lists_probed++;
}

/* Whether a list at `score` is too far to be worth a look; scores are negated squares. */
static bool beyond_margin(const struct probing *search, float best, float score, float margin)
{
    if (margin <= 0 || search->set->space.metric == SIMILAR_DOT ||
        !(search->threshold > -FLT_MAX)) {
        return false;
    }
    float distance =
        search->set->space.metric == SIMILAR_L2 ? -search->threshold : 2 - 2 * search->threshold;
    return best - score > margin * fmaxf(distance, 0.0f);
}

/* The first lines of the next list and its centre; of the list after that, its items. */
static void list_prefetch(const struct similar_set *set, uint32_t next, uint32_t later)
{
    if (later != SIMILAR_NONE) {
        __builtin_prefetch(set->lists[later].items);
    }
    if (next == SIMILAR_NONE || set->lists[next].chunk_count == 0) {
        return;
    }
    const uint8_t *code = set->lists[next].items[0].code;
    const float *centre = similar_centre(set, next);
    for (uint32_t line = 0; line < 12; line++) {
        __builtin_prefetch(code + (size_t)line * 64);
    }
    for (uint32_t k = 0; k < set->space.dim_padded; k += 16) {
        __builtin_prefetch(centre + k);
    }
}

static void lists_scan(struct probing *search, uint32_t probes, float margin)
{
    const struct similar_set *set = search->set;
    struct similar_scratch *scratch = search->scratch;
    struct similar_ranking ranking;
    similar_ranking_begin(set, scratch, search->probe, &ranking);
    /* The list in hand and the two after it, whose memory is fetched meanwhile. */
    uint32_t lists[3];
    float scores[3];
    for (uint32_t i = 0; i < 3; i++) {
        lists[i] = similar_ranking_next(&ranking, &scores[i]);
    }
    float best = scores[0];
    for (uint32_t p = 0; p < probes && lists[0] != SIMILAR_NONE; p++) {
        if (beyond_margin(search, best, scores[0], margin)) {
            break;
        }
        list_prefetch(set, lists[1], lists[2]);
        list_scan(search, lists[0], p == 0);
        lists[0] = lists[1];
        scores[0] = scores[1];
        lists[1] = lists[2];
        scores[1] = scores[2];
        lists[2] = similar_ranking_next(&ranking, &scores[2]);
    }
    pending_score(search, scratch->pending_count);
}

/*
 * How far an int8 score may plausibly be below the true one: five standard deviations, taking the
 * two roundings (of vector and query, about equal) as independent over the dimensions. The proven
 * bound is sqrt(D) / 5 times wider, and is for exact searches.
 */
static float score_slack(const struct similar_set *set, const struct similar_probe *probe,
                         uint32_t place)
{
    float weight = set->space.metric == SIMILAR_L2 ? 2.0f : 1.0f;
    float radius = set->chunks[place / SIMILAR_CHUNK].radius;
    return 5 * 1.5f * weight * radius * probe->byte_error / sqrtf((float)set->space.dim_padded);
}

/* Measures the k best by int8 score, then those of the rest that could still be among them. */
static void pool_finish(const struct probing *search, struct similar_top *top)
{
    const struct similar_set *set = search->set;
    struct similar_pool *pool = &search->scratch->pool;
    uint32_t first = pool->count < search->k ? pool->count : search->k;
    uint32_t left = first;
    similar_finish(set, search->probe, search->query, pool->places, first, top, search->report);
    double worst = similar_top_worst(top);
    float least =
        worst > (double)-INFINITY ? similar_score_floor(set->space.metric, worst) : -FLT_MAX;
    for (uint32_t i = first; i < pool->count; i++) {
        uint32_t place = pool->places[i];
        if (pool->scores[i] + score_slack(set, search->probe, place) >= least) {
            pool->places[left++] = place;
        }
    }
    similar_finish(set, search->probe, search->query, pool->places + first, left - first, top,
                   search->report);
}

void similar_probe_search(const struct similar_set *set, struct similar_scratch *scratch,
                          const struct similar_probe *probe, const struct similar_query *query,
                          const struct similar_setting *setting, struct similar_top *top,
                          struct similar_report *report)
{
    bool fresh = query->filter != NULL && query->filter->epoch == set->epoch;
    struct probing search = {
        .set = set,
        .scratch = scratch,
        .probe = probe,
        .query = query,
        .report = report,
        .k = query->k,
        .epsilon = setting->epsilon,
        .alpha = probe->byte_step * (set->space.metric == SIMILAR_L2 ? 2.0f : 1.0f),
        .threshold = -FLT_MAX,
        .masked = fresh,
        .checked = query->exclude_count > 0 || (query->filter != NULL && !fresh),
        .surplus = query->filter != NULL && !fresh ? UINT32_MAX : query->exclude_count,
    };
    scratch->pool.count = 0;
    scratch->pending_count = 0;
    scratch->pool.room = query->k + (query->k / 2 > 14 ? query->k / 2 : 14);
    lists_scan(&search, setting->probes, setting->margin);
    pool_finish(&search, top);
}
