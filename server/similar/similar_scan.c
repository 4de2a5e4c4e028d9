/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exact search. A vector whose int8 upper bound (similar_encode.h) stays below the k-th best
 * similarity found so far cannot be among the k best; all others are settled on the floats. The
 * bound's constants are widened by what its own single-precision arithmetic may lose: eight
 * operations on terms whose sizes sum to `size` lose at most 8 * 2^-24 * size < 1e-6 * size.
 */
#include "server/similar/similar_measure.h"
#include "server/similar/similar_search.h"

#include <float.h>
#include <math.h>
#include <string.h>

struct similar_bound similar_bound_of(const struct similar_set *set,
                                      const struct similar_probe *probe,
                                      const struct similar_list_terms *terms, uint32_t chunk)
{
    const struct similar_chunk *at = &set->chunks[chunk];
    double weight = set->space.metric == SIMILAR_L2 ? 2 : 1;
    double radius = (double)at->radius;
    double lost = (double)probe->byte_error;
    double width = weight * (probe->length + lost);
    double size = (double)at->reach + fabs(terms->byte) + 4 * width * radius;
    return (struct similar_bound){
        .query = probe->bytes,
        .dim = set->space.dim_padded,
        .correction = probe->correction,
        .alpha = (float)weight * probe->byte_step,
        .offset = (float)(terms->byte + weight * radius * lost + 1e-6 * size + 1e-36),
        .width = (float)(width * (1 + 1e-6)),
    };
}

/* What a candidate must reach. A heap that is not full yet turns nobody away. */
static float floor_of(const struct similar_set *set, const struct similar_top *top, double least)
{
    double worst = similar_top_worst(top);
    double reach = worst > least ? worst : least;
    return reach > (double)-INFINITY ? similar_score_floor(set->space.metric, reach) : -FLT_MAX;
}

/* The places of a mask over the tile that begins at `place`. */
static uint32_t mask_places(uint32_t mask, uint32_t place, uint32_t *places)
{
    uint32_t count = 0;
    for (; mask != 0; mask &= mask - 1) {
        places[count++] = place + (uint32_t)__builtin_ctz(mask);
    }
    return count;
}

/* All chunks in the order of a scan. */
struct cursor {
    uint32_t list;
    uint32_t chunk; /* SIMILAR_NONE at the end */
    uint32_t index; /* of the next chunk in the list */
};

static void cursor_step(const struct similar_set *set, struct cursor *cursor)
{
    while (cursor->list < set->list_count) {
        const struct similar_list *list = &set->lists[cursor->list];
        if (list->live > 0 && cursor->index < list->chunk_count) {
            cursor->chunk = list->items[cursor->index++].chunk;
            return;
        }
        cursor->list++;
        cursor->index = 0;
    }
    cursor->chunk = SIMILAR_NONE;
}

/* Where the scan goes on after the cursor's chunk; that chunk itself at the end. */
static const uint8_t *bytes_after(const struct similar_set *set, struct cursor cursor)
{
    uint32_t chunk = cursor.chunk;
    cursor_step(set, &cursor);
    return similar_byte_tile(set, cursor.chunk != SIMILAR_NONE ? cursor.chunk : chunk, 0);
}

/* The scan flushes the caches, so what the next lists need is asked for while there is time. */
static void lists_fetch(const struct similar_set *set, uint32_t list)
{
    if (list + 2 < set->list_count) {
        __builtin_prefetch(set->lists[list + 2].items);
        __builtin_prefetch(&set->lists[list + 2] + 2);
        __builtin_prefetch(&set->coarse.square_exact[list + 16]);
    }
    if (list + 1 < set->list_count) {
        const struct similar_list *next = &set->lists[list + 1];
        const float *centre = similar_centre(set, list + 1);
        for (uint32_t k = 0; k < set->space.dim_padded; k += 16) {
            __builtin_prefetch(centre + k);
        }
        if (next->chunk_count > 0) {
            const struct similar_chunk *chunk = &set->chunks[next->items[0].chunk];
            __builtin_prefetch(chunk);
            __builtin_prefetch((const char *)chunk + 64);
            __builtin_prefetch((const char *)chunk + 128);
        }
    }
}

/* One exact search in flight. */
struct scanning {
    const struct similar_set *set;
    const struct similar_probe *probe;
    const struct similar_query *query;
    struct similar_top *top;
    struct similar_report *report;
    double least;
    float threshold;
};

static void chunk_scan(struct scanning *scan, const struct similar_bound *bound, uint32_t chunk,
                       const uint8_t *next)
{
    const struct similar_set *set = scan->set;
    size_t tile_bytes = similar_byte_tile_bytes(set);
    uint32_t ahead = similar_tiles_ahead(tile_bytes);
    uint32_t tiles = set->chunks[chunk].tiles;
    for (uint32_t t = 0; t < tiles; t++) {
        uint32_t wanted = similar_filter_mask(set, scan->query->filter, chunk, t);
        if (wanted == 0) {
            continue;
        }
        uint32_t at = t + ahead;
        const uint8_t *later = at < tiles ? similar_byte_tile(set, chunk, at)
                                          : next + (size_t)(at - tiles) * tile_bytes;
        uint32_t mask = wanted & set->space.kernel->scan_bytes(similar_byte_tile(set, chunk, t),
                                                               later, bound, scan->threshold);
        scan->report->bytes_scanned += SIMILAR_TILE;
        if (mask != 0) {
            uint32_t places[SIMILAR_TILE];
            uint32_t count = mask_places(mask, chunk * SIMILAR_CHUNK + t * SIMILAR_TILE, places);
            similar_finish(set, scan->probe, scan->query, places, count, scan->top, scan->report);
            scan->threshold = floor_of(set, scan->top, scan->least);
        }
    }
}

void similar_scan_all(const struct similar_set *set, const struct similar_probe *probe,
                      const struct similar_query *query, double least, struct similar_top *top,
                      struct similar_report *report)
{
    struct scanning scan = {
        .set = set,
        .probe = probe,
        .query = query,
        .top = top,
        .report = report,
        .least = least,
        .threshold = floor_of(set, top, least),
    };
    struct similar_list_terms terms = {0};
    struct cursor cursor = {0};
    uint32_t list = SIMILAR_NONE;
    for (cursor_step(set, &cursor); cursor.chunk != SIMILAR_NONE; cursor_step(set, &cursor)) {
        if (cursor.list != list) {
            list = cursor.list;
            lists_fetch(set, list);
            terms = similar_terms_of(set, probe, list);
        }
        struct similar_bound bound = similar_bound_of(set, probe, &terms, cursor.chunk);
        chunk_scan(&scan, &bound, cursor.chunk, bytes_after(set, cursor));
    }
    report->lists_probed += set->list_count;
}

/* Whether the bound of one place reaches a threshold; the arithmetic of scan_bytes. */
static bool place_reaches(const struct similar_set *set, const struct similar_bound *bound,
                          uint32_t place, float threshold)
{
    uint32_t slot = place % SIMILAR_TILE;
    const uint8_t *tile =
        similar_byte_tile(set, place / SIMILAR_CHUNK, place % SIMILAR_CHUNK / SIMILAR_TILE);
    const uint8_t *row = tile + 192 + (size_t)slot * bound->dim;
    float pair[2];
    float error;
    memcpy(pair, tile + slot * 8, sizeof pair);
    memcpy(&error, tile + 128 + slot * 4, sizeof error);
    int32_t sum = set->space.kernel->dot_row(row, bound->query, bound->dim);
    float dot = (float)(sum - bound->correction) * bound->alpha * pair[0];
    return pair[1] + bound->offset + dot + error * bound->width >= threshold;
}

/* Matches on their way: fetched, then bound and finished together. */
enum { MATCH_BATCH = 32 };
struct matching {
    const struct similar_set *set;
    const struct similar_probe *probe;
    const struct similar_query *query;
    struct similar_top *top;
    struct similar_report *report;
    uint32_t places[MATCH_BATCH];
    uint32_t count;
    /* Of the match before: in the order of places the next one is mostly of the same list. */
    uint32_t list, chunk;
    struct similar_list_terms terms;
    struct similar_bound bound;
};

static void matches_finish(struct matching *matching)
{
    const struct similar_set *set = matching->set;
    for (uint32_t i = 0; i < matching->count; i++) {
        uint32_t chunk = matching->places[i] / SIMILAR_CHUNK;
        uint32_t list = similar_header_of(set->chunks[chunk].code)->list;
        if (list != matching->list) {
            matching->terms = similar_terms_of(set, matching->probe, list);
        }
        if (list != matching->list || chunk != matching->chunk) {
            matching->bound = similar_bound_of(set, matching->probe, &matching->terms, chunk);
        }
        matching->list = list;
        matching->chunk = chunk;
        float threshold = floor_of(set, matching->top, (double)-INFINITY);
        if (place_reaches(set, &matching->bound, matching->places[i], threshold)) {
            similar_finish(set, matching->probe, matching->query, matching->places + i, 1,
                           matching->top, matching->report);
        }
    }
    matching->report->bytes_scanned += matching->count;
    matching->count = 0;
}

static void match_prefetch(const struct similar_set *set, uint32_t place)
{
    uint32_t slot = place % SIMILAR_TILE;
    const uint8_t *tile =
        similar_byte_tile(set, place / SIMILAR_CHUNK, place % SIMILAR_CHUNK / SIMILAR_TILE);
    const uint8_t *row = tile + 192 + (size_t)slot * set->space.dim_padded;
    __builtin_prefetch(set->chunks[place / SIMILAR_CHUNK].code);
    __builtin_prefetch(tile + slot * 8);
    __builtin_prefetch(tile + 128);
    for (uint32_t k = 0; k < set->space.dim_padded; k += 64) {
        __builtin_prefetch(row + k);
    }
}

static void match_add(struct matching *matching, uint32_t place)
{
    match_prefetch(matching->set, place);
    matching->places[matching->count++] = place;
    if (matching->count == MATCH_BATCH) {
        matches_finish(matching);
    }
}

/* By the masks, in the order of places: lists stay together, and memory is walked upwards. */
static void matches_by_place(struct matching *matching)
{
    const struct similar_set *set = matching->set;
    const uint16_t *masks = matching->query->filter->masks;
    static_assert(SIMILAR_CHUNK_TILES * sizeof *masks == 2 * sizeof(uint64_t), "two words a chunk");
    for (uint32_t chunk = 0; chunk < set->chunk_count; chunk++, masks += SIMILAR_CHUNK_TILES) {
        for (uint32_t half = 0; half < 2; half++) {
            uint64_t bits;
            memcpy(&bits, masks + half * SIMILAR_CHUNK_TILES / 2, sizeof bits);
            for (; bits != 0; bits &= bits - 1) {
                match_add(matching,
                          chunk * SIMILAR_CHUNK + half * 64 + (uint32_t)__builtin_ctzll(bits));
            }
        }
    }
}

/* By the ids, where the masks are older than the set. */
static void matches_by_id(struct matching *matching)
{
    const struct similar_set *set = matching->set;
    const struct similar_filter *filter = matching->query->filter;
    for (size_t w = 0; w < filter->word_count && w * 64 < set->place_room; w++) {
        for (uint64_t bits = filter->words[w]; bits != 0; bits &= bits - 1) {
            uint32_t id = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(bits);
            uint32_t place = similar_place_of(set, id);
            if (place != SIMILAR_NONE) {
                match_add(matching, place);
            }
        }
    }
}

void similar_scan_matches(const struct similar_set *set, struct similar_scratch *scratch,
                          const struct similar_probe *probe, const struct similar_query *query,
                          struct similar_top *top, struct similar_report *report)
{
    struct matching matching = {.set = set,
                                .probe = probe,
                                .query = query,
                                .top = top,
                                .report = report,
                                .list = SIMILAR_NONE,
                                .chunk = SIMILAR_NONE};
    (void)scratch;
    if (query->filter->epoch == set->epoch) {
        matches_by_place(&matching);
    } else {
        matches_by_id(&matching);
    }
    matches_finish(&matching);
}

void similar_bound16_of(const struct similar_set *set, struct similar_scratch *scratch,
                        const struct similar_list_terms *terms, uint32_t count, uint32_t chunk,
                        struct similar_bound16 *bound)
{
    bound->queries = scratch->interleaved;
    bound->dim = set->space.dim_padded;
    for (uint32_t j = 0; j < count; j++) {
        struct similar_bound one = similar_bound_of(set, &scratch->probes[j], &terms[j], chunk);
        bound->correction[j] = one.correction;
        bound->alpha[j] = one.alpha;
        bound->offset[j] = one.offset;
        bound->width[j] = one.width;
    }
}

/* One pass in flight. */
struct many {
    const struct similar_set *set;
    struct similar_scratch *scratch;
    const struct similar_query *queries;
    const double *least;
    struct similar_top *tops;
    uint32_t count;
    struct similar_report *report;
};

static void tile_finish(struct many *many, uint32_t place, const uint16_t *masks,
                        struct similar_bound16 *bound)
{
    const struct similar_set *set = many->set;
    for (uint32_t i = 0; i < SIMILAR_TILE; i++) {
        for (uint32_t mask = masks[i]; mask != 0; mask &= mask - 1) {
            uint32_t j = (uint32_t)__builtin_ctz(mask);
            uint32_t at = place + i;
            const struct similar_query *query = &many->queries[j];
            uint32_t wanted = similar_filter_mask(set, query->filter, place / SIMILAR_CHUNK,
                                                  place % SIMILAR_CHUNK / SIMILAR_TILE);
            if ((wanted >> i & 1) != 0) {
                similar_finish(set, &many->scratch->probes[j], query, &at, 1, &many->tops[j],
                               many->report);
                bound->threshold[j] = floor_of(set, &many->tops[j], many->least[j]);
            }
        }
    }
}

static void chunk_scan_many(struct many *many, const struct similar_list_terms *terms,
                            uint32_t chunk, const uint8_t *next)
{
    const struct similar_set *set = many->set;
    uint16_t masks[SIMILAR_CHUNK];
    uint32_t tiles = set->chunks[chunk].tiles;
    struct similar_bound16 bound = {0};
    similar_bound16_of(set, many->scratch, terms, many->count, chunk, &bound);
    for (uint32_t j = 0; j < SIMILAR_BATCH_MAX; j++) {
        bound.threshold[j] =
            j < many->count ? floor_of(set, &many->tops[j], many->least[j]) : INFINITY;
    }
    set->space.kernel->scan_bytes16(similar_byte_tile(set, chunk, 0), tiles, next, &bound, masks);
    for (uint32_t t = 0; t < tiles; t++) {
        uint64_t any[4];
        memcpy(any, masks + (size_t)t * SIMILAR_TILE, sizeof any);
        if ((any[0] | any[1] | any[2] | any[3]) != 0) {
            tile_finish(many, chunk * SIMILAR_CHUNK + t * SIMILAR_TILE,
                        masks + (size_t)t * SIMILAR_TILE, &bound);
        }
    }
}

void similar_probes_interleave(const struct similar_set *set, struct similar_scratch *scratch,
                               uint32_t count)
{
    uint32_t dim = set->space.dim_padded;
    memset(scratch->interleaved, 0, (size_t)SIMILAR_BATCH_MAX * dim);
    for (uint32_t j = 0; j < count; j++) {
        for (uint32_t k = 0; k < dim; k += 4) {
            memcpy(scratch->interleaved + (size_t)k * 16 + (size_t)j * 4,
                   scratch->probes[j].bytes + k, 4);
        }
    }
}

void similar_scan_many(const struct similar_set *set, struct similar_scratch *scratch,
                       const struct similar_query *queries, uint32_t count, const double *least,
                       struct similar_top *tops, struct similar_report *report)
{
    struct many many = {
        .set = set,
        .scratch = scratch,
        .queries = queries,
        .least = least,
        .tops = tops,
        .count = count,
        .report = report,
    };
    similar_probes_interleave(set, scratch, count);
    struct similar_list_terms terms[SIMILAR_BATCH_MAX] = {0};
    struct cursor cursor = {0};
    uint32_t list = SIMILAR_NONE;
    for (cursor_step(set, &cursor); cursor.chunk != SIMILAR_NONE; cursor_step(set, &cursor)) {
        for (uint32_t j = 0; j < count && cursor.list != list; j++) {
            terms[j] = similar_terms_of(set, &scratch->probes[j], cursor.list);
        }
        list = cursor.list;
        chunk_scan_many(&many, terms, cursor.chunk, bytes_after(set, cursor));
        report->bytes_scanned += (uint64_t)set->chunks[cursor.chunk].tiles * SIMILAR_TILE;
    }
    report->lists_probed += set->list_count;
}
