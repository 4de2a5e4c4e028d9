/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks in plain memory. Blocks of a kind are cut from slabs, so that neighbours are close. */
#include "server/similar/similar_block.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SLAB_BYTES = 32 << 20, HUGE_PAGE = 2 << 20 };

struct slab {
    struct slab *next;
    uint8_t *bytes;
};

struct block_table {
    uint8_t **blocks;
    uint32_t room;
    size_t bytes;
    uint8_t *slab_at;
    size_t slab_left;
    uint8_t *spare; /* freed blocks, chained through their first bytes */
};

struct similar_memory {
    struct block_table tables[SIMILAR_KINDS];
    struct slab *slabs;
};

struct similar_memory *similar_memory_create(void)
{
    return calloc(1, sizeof(struct similar_memory));
}

void similar_memory_destroy(struct similar_memory *memory)
{
    if (memory == NULL) {
        return;
    }
    while (memory->slabs != NULL) {
        struct slab *next = memory->slabs->next;
        free(memory->slabs->bytes);
        free(memory->slabs);
        memory->slabs = next;
    }
    for (uint32_t kind = 0; kind < SIMILAR_KINDS; kind++) {
        free(memory->tables[kind].blocks);
    }
    free(memory);
}

static bool slab_add(struct similar_memory *memory, struct block_table *table, size_t bytes)
{
    /* The first slab of a kind is small, so that a small set stays small. */
    size_t size = table->bytes == 0 ? 16 * bytes : SLAB_BYTES;
    size = (size < bytes ? bytes : size) + 64;
    size = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    struct slab *slab = malloc(sizeof *slab);
    uint8_t *space = aligned_alloc(HUGE_PAGE, size);
    if (slab == NULL || space == NULL) {
        free(slab);
        free(space);
        return false;
    }
    /* Fewer misses of the address cache on random reads; a refusal changes nothing else. */
    (void)madvise(space, size, MADV_HUGEPAGE);
    *slab = (struct slab){.next = memory->slabs, .bytes = space};
    memory->slabs = slab;
    table->slab_at = space + SIMILAR_BLOCK_PHASE;
    table->slab_left = size - SIMILAR_BLOCK_PHASE;
    return true;
}

static uint8_t *block_cut(struct similar_memory *memory, struct block_table *table, size_t bytes)
{
    /* Rounded up to 64, so that the next block keeps the phase. */
    size_t step = (bytes + 63) / 64 * 64;
    uint8_t *block = table->spare;
    if (block != NULL) {
        memcpy(&table->spare, block, sizeof table->spare);
    } else {
        if (table->slab_left < step && !slab_add(memory, table, step)) {
            return NULL;
        }
        block = table->slab_at;
        table->slab_at += step;
        table->slab_left -= step;
    }
    memset(block, 0, bytes);
    table->bytes += step;
    return block;
}

static bool table_reserve(struct block_table *table, uint32_t number)
{
    if (number < table->room) {
        return true;
    }
    uint32_t room = number + number / 2 + 16;
    uint8_t **grown = realloc(table->blocks, room * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    memset(grown + table->room, 0, (room - table->room) * sizeof *grown);
    table->blocks = grown;
    table->room = room;
    return true;
}

static const void *memory_read(void *context, enum similar_kind kind, uint32_t number)
{
    const struct similar_memory *memory = context;
    const struct block_table *table = &memory->tables[kind];
    return number < table->room ? table->blocks[number] : NULL;
}

static void *memory_write(void *context, enum similar_kind kind, uint32_t number, size_t bytes)
{
    struct similar_memory *memory = context;
    struct block_table *table = &memory->tables[kind];
    if (!table_reserve(table, number)) {
        return NULL;
    }
    if (table->blocks[number] == NULL) {
        table->blocks[number] = block_cut(memory, table, bytes);
    }
    return table->blocks[number];
}

static void memory_free(void *context, enum similar_kind kind, uint32_t number)
{
    struct similar_memory *memory = context;
    struct block_table *table = &memory->tables[kind];
    uint8_t *block = number < table->room ? table->blocks[number] : NULL;
    if (block != NULL) {
        memcpy(block, &table->spare, sizeof table->spare);
        table->spare = block;
        table->blocks[number] = NULL;
    }
}

struct similar_source similar_memory_source(struct similar_memory *memory)
{
    return (struct similar_source){
        .context = memory,
        .on_read = memory_read,
        .on_write = memory_write,
        .on_free = memory_free,
    };
}

size_t similar_memory_bytes(const struct similar_memory *memory, enum similar_kind kind)
{
    return memory->tables[kind].bytes;
}
