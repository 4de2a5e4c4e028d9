/* SPDX-License-Identifier: Apache-2.0 */
/* A set from its blocks, and the meta block that says what belongs to it. */
#include "server/similar/similar_graph.h"

#include <stdlib.h>
#include <string.h>

enum similar_status similar_flush(struct similar_set *set)
{
    const struct similar_source *source = &set->options.source;
    struct similar_meta *meta =
        source->on_write(source->context, SIMILAR_KIND_META, 0, sizeof *meta);
    if (meta == NULL) {
        return SIMILAR_ERROR_MEMORY;
    }
    *meta = (struct similar_meta){
        .header = {.magic = SIMILAR_BLOCK_MAGIC,
                   .version = SIMILAR_BLOCK_VERSION,
                   .kind = SIMILAR_KIND_META,
                   .dim = (uint16_t)set->space.dim},
        .seed = set->options.seed,
        .vector_count = set->count,
        .built_count = set->built_count,
        .metric = set->options.metric,
        .chunk_count = set->chunk_count,
        .list_count = set->list_count,
    };
    memcpy(meta->settings, set->settings, sizeof meta->settings);
    similar_block_seal(meta, sizeof *meta);
    return similar_graph_flush(set);
}

static const void *block_read(const struct similar_set *set, enum similar_kind kind,
                              uint32_t number, bool verify, enum similar_status *status)
{
    const struct similar_source *source = &set->options.source;
    const void *block = source->on_read(source->context, kind, number);
    if (block != NULL && *status == SIMILAR_OK) {
        *status = similar_block_check(block, kind, number, set->space.dim, verify);
    }
    return block;
}

static enum similar_status centres_open(struct similar_set *set, uint32_t list_count, bool verify)
{
    enum similar_status status = similar_set_reserve_lists(set, list_count);
    for (uint32_t l = 0; l < list_count && status == SIMILAR_OK; l++) {
        const uint8_t *block =
            block_read(set, SIMILAR_KIND_CENTROID, l / 16, verify && l % 16 == 0, &status);
        if (block == NULL) {
            return SIMILAR_ERROR_CORRUPT;
        }
        const float *rows = (const float *)(const void *)(block + sizeof(struct similar_header));
        similar_coarse_put(set, l, rows + (size_t)(l % 16) * set->space.dim_padded);
        set->list_count = l + 1;
    }
    return status;
}

/* Notes the ids of a chunk, and that they are what the header says. */
static enum similar_status ids_open(struct similar_set *set, uint32_t chunk)
{
    const struct similar_header *header = similar_header_of(set->chunks[chunk].code);
    uint32_t live = 0;
    for (uint32_t position = 0; position < header->used; position++) {
        uint32_t id = similar_chunk_ids(set, chunk)[position];
        if (id == SIMILAR_ID_NONE) {
            continue;
        }
        enum similar_status status = similar_set_reserve_id(set, id);
        if (status != SIMILAR_OK) {
            return status;
        }
        if (set->places[id] != SIMILAR_NONE) {
            return SIMILAR_ERROR_CORRUPT;
        }
        set->places[id] = chunk * SIMILAR_CHUNK + position;
        live++;
    }
    set->count += live;
    set->lists[header->list].live += live;
    return live == header->live ? SIMILAR_OK : SIMILAR_ERROR_CORRUPT;
}

static enum similar_status chunk_open(struct similar_set *set, uint32_t chunk, bool verify)
{
    enum similar_status status = similar_set_reserve_chunk(set);
    struct similar_chunk *at = &set->chunks[chunk];
    if (status != SIMILAR_OK) {
        return status;
    }
    set->chunk_count = chunk + 1;
    at->code = block_read(set, SIMILAR_KIND_CODE, chunk, verify, &status);
    if (at->code == NULL) {
        set->chunks_free[set->chunk_free_count++] = chunk;
        return SIMILAR_OK;
    }
    at->bytes = block_read(set, SIMILAR_KIND_BYTE, chunk, verify, &status);
    at->floats = block_read(set, SIMILAR_KIND_FLOAT, chunk, verify, &status);
    if (status != SIMILAR_OK) {
        return status;
    }
    if (at->bytes == NULL || at->floats == NULL) {
        return SIMILAR_ERROR_CORRUPT;
    }
    const struct similar_header *header = similar_header_of(at->code);
    const struct similar_header *bounds = similar_header_of(at->bytes);
    if (header->list >= set->list_count || bounds->list != header->list) {
        return SIMILAR_ERROR_CORRUPT;
    }
    at->tiles = (header->used + SIMILAR_TILE - 1) / SIMILAR_TILE;
    at->radius = bounds->radius;
    at->reach = bounds->reach;
    status = ids_open(set, chunk);
    return status == SIMILAR_OK ? similar_set_add_to_list(set, header->list, chunk) : status;
}

/* Chunks come in the order of their numbers; a list wants them in its own. */
static enum similar_status chunks_order(struct similar_set *set, struct similar_list *list)
{
    for (uint32_t i = 1; i < list->chunk_count; i++) {
        struct similar_item moving = list->items[i];
        uint32_t order = similar_header_of(set->chunks[moving.chunk].code)->order;
        uint32_t at = i;
        while (at > 0 &&
               similar_header_of(set->chunks[list->items[at - 1].chunk].code)->order > order) {
            list->items[at] = list->items[at - 1];
            at--;
        }
        list->items[at] = moving;
    }
    for (uint32_t i = 0; i < list->chunk_count; i++) {
        uint32_t chunk = list->items[i].chunk;
        if (similar_header_of(set->chunks[chunk].code)->order != i) {
            return SIMILAR_ERROR_CORRUPT;
        }
        similar_chunk_refresh(set, chunk);
    }
    return SIMILAR_OK;
}

static enum similar_status set_open(struct similar_set *set, bool verify)
{
    enum similar_status status = SIMILAR_OK;
    const struct similar_meta *meta = block_read(set, SIMILAR_KIND_META, 0, true, &status);
    if (meta == NULL || status != SIMILAR_OK) {
        return status; /* nothing stored yet: an empty set */
    }
    if (meta->metric != set->options.metric || meta->seed != set->options.seed ||
        meta->list_count > SIMILAR_LISTS_MAX || meta->chunk_count > SIMILAR_CHUNKS_MAX) {
        return SIMILAR_ERROR_OPTION;
    }
    set->built_count = meta->built_count;
    memcpy(set->settings, meta->settings, sizeof set->settings);
    status = centres_open(set, meta->list_count, verify);
    for (uint32_t c = 0; c < meta->chunk_count && status == SIMILAR_OK; c++) {
        status = chunk_open(set, c, verify);
    }
    for (uint32_t l = 0; l < set->list_count && status == SIMILAR_OK; l++) {
        status = chunks_order(set, &set->lists[l]);
        /* A list without chunks was dissolved, or never filled; either way it can be reused. */
        if (set->lists[l].chunk_count == 0 && set->list_count > 1) {
            set->lists[l].dead = true;
            similar_coarse_kill(set, l);
        }
    }
    if (status == SIMILAR_OK && set->count != meta->vector_count) {
        status = SIMILAR_ERROR_CORRUPT;
    }
    return status == SIMILAR_OK ? similar_graph_open(set, verify) : status;
}

struct similar_set *similar_open(const struct similar_options *options, bool verify,
                                 enum similar_status *status)
{
    enum similar_status ignored;
    status = status != NULL ? status : &ignored;
    struct similar_set *set = similar_create(options, status);
    if (set == NULL) {
        return NULL;
    }
    *status = options->source.on_read != NULL ? set_open(set, verify) : SIMILAR_ERROR_OPTION;
    if (*status != SIMILAR_OK) {
        similar_destroy(set);
        return NULL;
    }
    return set;
}
