/* SPDX-License-Identifier: Apache-2.0 */
#include "server/similar/similar_set.h"

#include <math.h>
#include <string.h>

/* Block pointers are const for readers; a writer has asked the source for them just before. */
static uint8_t *writable(const uint8_t *block)
{
    return (uint8_t *)(uintptr_t)block;
}

static struct similar_header *header_of(const uint8_t *block)
{
    return (struct similar_header *)(void *)writable(block);
}

bool similar_chunk_write(struct similar_set *set, uint32_t chunk)
{
    const struct similar_source *source = &set->options.source;
    struct similar_chunk *at = &set->chunks[chunk];
    const uint8_t **blocks[] = {&at->code, &at->bytes, &at->floats};
    for (uint32_t i = 0; i < 3; i++) {
        enum similar_kind kind = SIMILAR_KIND_CODE + i;
        const uint8_t *block = source->on_write(source->context, kind, chunk,
                                                similar_block_bytes(kind, set->space.dim));
        if (block == NULL) {
            return false;
        }
        *blocks[i] = block;
    }
    return true;
}

void similar_chunk_refresh(struct similar_set *set, uint32_t chunk)
{
    const struct similar_header *header = header_of(set->chunks[chunk].code);
    struct similar_item *item = &set->lists[header->list].items[header->order];
    assert(item->chunk == chunk);
    item->code = set->chunks[chunk].code;
    item->tiles = set->chunks[chunk].tiles;
}

static void header_init(const struct similar_set *set, const uint8_t *block, enum similar_kind kind,
                        uint32_t number, uint32_t list)
{
    *header_of(block) = (struct similar_header){
        .magic = SIMILAR_BLOCK_MAGIC,
        .version = SIMILAR_BLOCK_VERSION,
        .kind = (uint8_t)kind,
        .dim = (uint16_t)set->space.dim,
        .number = number,
        .list = list,
    };
}

/* Writes the id and factors of a place. */
static void place_set(const struct similar_set *set, uint32_t place, uint32_t id, uint16_t add,
                      uint16_t rescale)
{
    uint32_t chunk = place / SIMILAR_CHUNK;
    uint32_t position = place % SIMILAR_CHUNK;
    uint32_t slot = position % SIMILAR_TILE;
    uint8_t *tile = writable(similar_code_tile(set, chunk, position / SIMILAR_TILE));
    uint8_t *factors = tile + (size_t)2 * set->space.dim_padded;
    memcpy(factors + (size_t)slot * 2, &add, 2);
    memcpy(factors + 32 + (size_t)slot * 2, &rescale, 2);
    uint8_t *ids = writable(similar_code_tile(set, chunk, SIMILAR_CHUNK_TILES));
    memcpy(ids + (size_t)position * 4, &id, 4);
}

/* Makes every place of a chunk empty. */
static void chunk_reset(struct similar_set *set, uint32_t chunk, uint32_t list)
{
    struct similar_chunk *at = &set->chunks[chunk];
    at->tiles = 0;
    at->radius = 0;
    at->reach = 0;
    header_init(set, at->code, SIMILAR_KIND_CODE, chunk, list);
    header_init(set, at->bytes, SIMILAR_KIND_BYTE, chunk, list);
    header_init(set, at->floats, SIMILAR_KIND_FLOAT, chunk, list);
    for (uint32_t position = 0; position < SIMILAR_CHUNK; position++) {
        place_set(set, chunk * SIMILAR_CHUNK + position, SIMILAR_ID_NONE, similar_bfloat(-INFINITY),
                  0);
    }
}

uint32_t similar_chunk_create(struct similar_set *set, uint32_t list)
{
    uint32_t chunk = set->chunk_count;
    bool reused = set->chunk_free_count > 0;
    if (reused) {
        chunk = set->chunks_free[set->chunk_free_count - 1];
    } else if (similar_set_reserve_chunk(set) != SIMILAR_OK) {
        return SIMILAR_NONE;
    }
    if (!similar_chunk_write(set, chunk) ||
        similar_set_add_to_list(set, list, chunk) != SIMILAR_OK) {
        return SIMILAR_NONE;
    }
    if (reused) {
        set->chunk_free_count--;
    } else {
        set->chunk_count++;
    }
    chunk_reset(set, chunk, list);
    header_of(set->chunks[chunk].code)->order = set->lists[list].chunk_count - 1;
    similar_chunk_refresh(set, chunk);
    return chunk;
}

static void put_code(const struct similar_set *set, uint32_t place, uint32_t id,
                     const struct similar_code *code)
{
    uint32_t position = place % SIMILAR_CHUNK;
    uint32_t slot = position % SIMILAR_TILE;
    uint32_t byte = slot < 8 ? 2 * slot : 2 * (slot - 8) + 1;
    uint32_t dim = set->space.dim_padded;
    uint8_t *tile =
        writable(similar_code_tile(set, place / SIMILAR_CHUNK, position / SIMILAR_TILE));
    for (uint32_t pair = 0; pair < dim / 8; pair++) {
        tile[(size_t)pair * 16 + byte] =
            (uint8_t)(code->nibbles[2 * pair] | code->nibbles[2 * pair + 1] << 4);
    }
    place_set(set, place, id, code->add, code->rescale);
}

static void put_bytes(const struct similar_set *set, uint32_t place,
                      const struct similar_code *code)
{
    uint32_t position = place % SIMILAR_CHUNK;
    uint32_t slot = position % SIMILAR_TILE;
    uint32_t dim = set->space.dim_padded;
    uint8_t *tile =
        writable(similar_byte_tile(set, place / SIMILAR_CHUNK, position / SIMILAR_TILE));
    memcpy(tile + slot * 8, &code->scale, 4);
    memcpy(tile + slot * 8 + 4, &code->base, 4);
    memcpy(tile + 128 + slot * 4, &code->error, 4);
    memcpy(tile + 192 + (size_t)slot * dim, code->bytes, dim);
}

void similar_chunk_put(struct similar_set *set, uint32_t place, uint32_t id,
                       const struct similar_code *code, const float *vector, double norm)
{
    const struct similar_chunk *chunk = &set->chunks[place / SIMILAR_CHUNK];
    uint32_t position = place % SIMILAR_CHUNK;
    put_code(set, place, id, code);
    put_bytes(set, place, code);
    uint8_t *floats = writable(chunk->floats) + sizeof(struct similar_header);
    memcpy(floats + position * sizeof norm, &norm, sizeof norm);
    uint8_t *row = floats + SIMILAR_CHUNK * sizeof norm +
                   (size_t)position * set->space.dim_float * sizeof(float);
    memcpy(row, vector, set->space.dim * sizeof(float));
    struct similar_header *header = header_of(chunk->code);
    header->used = position + 1 > header->used ? position + 1 : header->used;
    header->live++;
    struct similar_header *bounds = header_of(chunk->bytes);
    bounds->radius = fmaxf(bounds->radius, code->radius);
    bounds->reach = fmaxf(bounds->reach, fabsf(code->base));
    struct similar_chunk *directory = &set->chunks[place / SIMILAR_CHUNK];
    directory->tiles = (header->used + SIMILAR_TILE - 1) / SIMILAR_TILE;
    directory->radius = bounds->radius;
    directory->reach = bounds->reach;
    similar_chunk_refresh(set, place / SIMILAR_CHUNK);
    set->places[id] = place;
}

void similar_chunk_clear(struct similar_set *set, uint32_t place)
{
    uint32_t id = similar_place_id(set, place);
    place_set(set, place, SIMILAR_ID_NONE, similar_bfloat(-INFINITY), 0);
    header_of(set->chunks[place / SIMILAR_CHUNK].code)->live--;
    set->places[id] = SIMILAR_NONE;
    similar_chunk_refresh(set, place / SIMILAR_CHUNK);
}

void similar_chunk_free_list(struct similar_set *set, uint32_t list)
{
    const struct similar_source *source = &set->options.source;
    struct similar_list *from = &set->lists[list];
    for (uint32_t i = 0; i < from->chunk_count; i++) {
        uint32_t chunk = from->items[i].chunk;
        set->chunks_free[set->chunk_free_count++] = chunk;
        set->chunks[chunk] = (struct similar_chunk){0};
        for (uint32_t kind = SIMILAR_KIND_CODE; kind <= SIMILAR_KIND_FLOAT; kind++) {
            if (source->on_free != NULL) {
                source->on_free(source->context, kind, chunk);
            }
        }
    }
    from->chunk_count = 0;
    from->live = 0;
}
