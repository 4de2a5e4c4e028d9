/* SPDX-License-Identifier: Apache-2.0 */
#include "server/base/arena.h"

#include <assert.h>
#include <stdlib.h>

#define ARENA_CHUNK_BYTES 16384
#define ARENA_BYTES_MAX ((size_t)64 << 20)
/* Chunks double up to here, so that a large request takes few of them and wastes little. */
#define ARENA_CHUNK_BYTES_MAX ((size_t)1 << 20)
#define ARENA_ALIGN 16

struct base_arena_chunk {
    struct base_arena_chunk *next;
    size_t used;
    size_t capacity;
    size_t padding; /* keeps data at a multiple of ARENA_ALIGN */
    unsigned char data[];
};

static_assert(offsetof(struct base_arena_chunk, data) % ARENA_ALIGN == 0, "data is aligned");

void base_arena_init(struct base_arena *arena, size_t chunk_bytes, size_t bytes_max)
{
    assert(bytes_max <= SIZE_MAX / 2);
    *arena = (struct base_arena){
        .chunk_bytes = chunk_bytes != 0 ? chunk_bytes : ARENA_CHUNK_BYTES,
        .bytes_max = bytes_max != 0 ? bytes_max : ARENA_BYTES_MAX,
    };
}

static void free_from(struct base_arena_chunk *chunk)
{
    while (chunk != NULL) {
        struct base_arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}

void base_arena_fini(struct base_arena *arena)
{
    free_from(arena->first);
    arena->first = NULL;
    arena->last = NULL;
    arena->bytes = 0;
}

void base_arena_reset(struct base_arena *arena)
{
    if (arena->first != NULL) {
        free_from(arena->first->next);
        arena->first->next = NULL;
        arena->first->used = 0;
        /* Even the first chunk may have been made for one large allocation. */
        if (arena->first->capacity > arena->chunk_bytes) {
            free(arena->first);
            arena->first = NULL;
        }
    }
    arena->last = arena->first;
    arena->bytes = 0;
    arena->failed = false;
}

static bool add_chunk(struct base_arena *arena, size_t bytes)
{
    size_t capacity = arena->chunk_bytes;
    if (arena->last != NULL) {
        capacity = arena->last->capacity * 2;
        if (capacity > ARENA_CHUNK_BYTES_MAX) {
            capacity = ARENA_CHUNK_BYTES_MAX;
        }
    }
    if (capacity < bytes) {
        capacity = bytes;
    }
    struct base_arena_chunk *chunk = malloc(sizeof *chunk + capacity);
    if (chunk == NULL) {
        return false;
    }
    *chunk = (struct base_arena_chunk){.capacity = capacity};
    if (arena->last != NULL) {
        arena->last->next = chunk;
    } else {
        arena->first = chunk;
    }
    arena->last = chunk;
    return true;
}

void *base_arena_take(struct base_arena *arena, size_t bytes)
{
    if (arena->failed) {
        return NULL;
    }
    if (bytes > arena->bytes_max || arena->bytes > arena->bytes_max - bytes) {
        arena->failed = true;
        return NULL;
    }
    size_t padded = (bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    struct base_arena_chunk *chunk = arena->last;
    if (chunk == NULL || chunk->capacity - chunk->used < padded) {
        if (!add_chunk(arena, padded)) {
            arena->failed = true;
            return NULL;
        }
        chunk = arena->last;
    }
    void *taken = chunk->data + chunk->used;
    chunk->used += padded;
    arena->bytes += padded;
    return taken;
}

void *base_arena_array(struct base_arena *arena, size_t count, size_t item_bytes)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, item_bytes, &bytes)) {
        arena->failed = true;
        return NULL;
    }
    void *taken = base_arena_take(arena, bytes);
    if (taken != NULL) {
        memset(taken, 0, bytes);
    }
    return taken;
}

char *base_arena_text(struct base_arena *arena, struct proto_span text)
{
    char *taken = text.bytes < SIZE_MAX ? base_arena_take(arena, text.bytes + 1) : NULL;
    if (taken == NULL) {
        return NULL;
    }
    if (text.bytes != 0) {
        memcpy(taken, text.data, text.bytes);
    }
    taken[text.bytes] = '\0';
    return taken;
}
