/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside a set: directory in memory, vectors in blocks. Not for callers of the library.
 *
 * A list holds the vectors nearest to its centre, in chunks of 128 places. A place is
 * chunk * 128 + position. Removing leaves a hole (id SIMILAR_ID_NONE, add -infinity) that the next
 * insert into the list fills. Everything here but centres' floats and settings is rebuilt from
 * block headers and ids by similar_open.
 */
#ifndef ICP_SIMILAR_SET_H
#define ICP_SIMILAR_SET_H

#include "server/similar/similar.h"
#include "server/similar/similar_block.h"
#include "server/similar/similar_encode.h"

enum {
    SIMILAR_CHUNKS_MAX = 1 << 25,
};
#define SIMILAR_NONE UINT32_MAX

struct similar_chunk {
    const uint8_t *code;
    const uint8_t *bytes;
    const uint8_t *floats;
    uint32_t tiles; /* in use; here because a look at the header costs a cache miss */
    float radius;   /* of the byte block's header, and reach, for the same reason */
    float reach;
};

/* A chunk of a list, with what a scan of its codes needs: one cache miss in place of three. */
struct similar_item {
    const uint8_t *code;
    uint32_t chunk;
    uint32_t tiles;
};

struct similar_list {
    struct similar_item *items; /* in order */
    uint32_t chunk_count;
    uint32_t chunk_room;
    uint32_t live;
    bool dead; /* dissolved; its number is free for the next split */
};

/* The centres as the coarse step reads them. Room for a multiple of 16 lists. */
struct similar_coarse {
    float *centres;      /* rotated, D floats a list */
    int8_t *bytes;       /* interleaved groups of 16 */
    int32_t *correction; /* 128 * sum of bytes */
    float *step;
    float *square; /* |c|^2; +infinity for a dead list */
    double *square_exact;
    uint32_t room;
};

struct similar_set {
    struct similar_options options;
    struct similar_space space;
    float *signs;
    struct similar_list *lists;
    uint32_t list_count;
    uint32_t list_room;
    struct similar_coarse coarse;
    struct similar_chunk *chunks;
    uint32_t chunk_count;
    uint32_t chunk_room;
    uint32_t *chunks_free;
    uint32_t chunk_free_count;
    uint32_t *places; /* by id */
    uint64_t place_room;
    uint64_t count;
    uint64_t built_count;
    uint64_t epoch;        /* changes of any place; filters remember it */
    uint32_t balance_hint; /* a list that wants splitting or dissolving, or SIMILAR_NONE */
    struct similar_setting settings[SIMILAR_LEVELS][SIMILAR_TARGETS];
    struct similar_graph *graph; /* NULL: there is none */
};

static inline size_t similar_code_tile_bytes(const struct similar_set *set)
{
    return (size_t)2 * set->space.dim_padded + 64;
}

static inline size_t similar_byte_tile_bytes(const struct similar_set *set)
{
    return (size_t)16 * set->space.dim_padded + 192;
}

static inline const struct similar_header *similar_header_of(const uint8_t *block)
{
    return (const struct similar_header *)(const void *)block;
}

static inline const uint8_t *similar_code_tile(const struct similar_set *set, uint32_t chunk,
                                               uint32_t tile)
{
    return set->chunks[chunk].code + sizeof(struct similar_header) +
           tile * similar_code_tile_bytes(set);
}

static inline const uint8_t *similar_byte_tile(const struct similar_set *set, uint32_t chunk,
                                               uint32_t tile)
{
    return set->chunks[chunk].bytes + sizeof(struct similar_header) +
           tile * similar_byte_tile_bytes(set);
}

/* The 128 ids of a chunk. */
static inline const uint32_t *similar_chunk_ids(const struct similar_set *set, uint32_t chunk)
{
    return (const uint32_t *)(const void *)similar_code_tile(set, chunk, SIMILAR_CHUNK_TILES);
}

static inline uint32_t similar_place_id(const struct similar_set *set, uint32_t place)
{
    return similar_chunk_ids(set, place / SIMILAR_CHUNK)[place % SIMILAR_CHUNK];
}

static inline const float *similar_place_floats(const struct similar_set *set, uint32_t place)
{
    const uint8_t *rows = set->chunks[place / SIMILAR_CHUNK].floats +
                          sizeof(struct similar_header) + SIMILAR_CHUNK * sizeof(double);
    return (const float *)(const void *)rows +
           (size_t)(place % SIMILAR_CHUNK) * set->space.dim_float;
}

static inline double similar_place_norm(const struct similar_set *set, uint32_t place)
{
    const uint8_t *norms =
        set->chunks[place / SIMILAR_CHUNK].floats + sizeof(struct similar_header);
    return ((const double *)(const void *)norms)[place % SIMILAR_CHUNK];
}

static inline uint32_t similar_place_of(const struct similar_set *set, uint32_t id)
{
    return id < set->place_room ? set->places[id] : SIMILAR_NONE;
}

static inline const float *similar_centre(const struct similar_set *set, uint32_t list)
{
    return set->coarse.centres + (size_t)list * set->space.dim_padded;
}

/* similar_set.c: room in the directory. */
enum similar_status similar_set_reserve_lists(struct similar_set *set, uint32_t count);
enum similar_status similar_set_reserve_id(struct similar_set *set, uint32_t id);
enum similar_status similar_set_add_to_list(struct similar_set *set, uint32_t list, uint32_t chunk);
enum similar_status similar_set_reserve_chunk(struct similar_set *set);

/* similar_chunk.c */
/* A new empty chunk at the end of a list, or SIMILAR_NONE when memory is refused. */
uint32_t similar_chunk_create(struct similar_set *set, uint32_t list);
/* Asks the source for all three blocks of a chunk as writable memory. */
bool similar_chunk_write(struct similar_set *set, uint32_t chunk);
/* Fills a place of a writable chunk and the id directory. Several threads may fill several
 * chunks. */
void similar_chunk_put(struct similar_set *set, uint32_t place, uint32_t id,
                       const struct similar_code *code, const float *vector, double norm);
/* Empties a place of a chunk whose code block is writable. */
void similar_chunk_clear(struct similar_set *set, uint32_t place);
/* Brings the list's item of a chunk up to date; after a put, or when the block moved. */
void similar_chunk_refresh(struct similar_set *set, uint32_t chunk);
/* Gives all chunks of a list back. */
void similar_chunk_free_list(struct similar_set *set, uint32_t list);

/* similar_coarse.c */
/* Sets the centre of a list in memory. */
void similar_coarse_put(struct similar_set *set, uint32_t list, const float *centre);
void similar_coarse_kill(struct similar_set *set, uint32_t list);
/* Writes the block that holds a list's centre. */
bool similar_coarse_save(struct similar_set *set, uint32_t list);
/*
 * scores[l] = 2 <c, x> - |c|^2, or <c, x> if `product`, to int8 precision; -infinity if dead.
 * `row` and `step` are as in struct similar_probe. `dots` has room for the lists.
 */
void similar_coarse_score(const struct similar_set *set, const uint8_t *row, float step,
                          bool product, int32_t *dots, float *scores);
/* The list whose centre is nearest to a rotated vector; SIMILAR_NONE when none is alive. */
uint32_t similar_coarse_nearest(const struct similar_set *set, const float *rotated);

/* similar_balance.c: the sizes between which a list is left alone. */
uint32_t similar_list_most(const struct similar_set *set);
uint32_t similar_list_least(const struct similar_set *set);

/* Runs tasks through options.parallel, or one after the other. */
void similar_run(const struct similar_set *set, uint32_t count,
                 void (*task)(void *argument, uint32_t index), void *argument);

#endif
