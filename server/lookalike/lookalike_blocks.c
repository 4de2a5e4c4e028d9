/* SPDX-License-Identifier: Apache-2.0 */
#include "server/lookalike/lookalike_blocks.h"

#include <stdlib.h>
#include <string.h>

struct lookalike_blocks *lookalike_blocks_create(uint32_t dims)
{
    struct lookalike_blocks *blocks = calloc(1, sizeof *blocks);
    if (!blocks) {
        return NULL;
    }
    blocks->dims = dims;
    blocks->memory = similar_memory_create();
    if (!blocks->memory) {
        free(blocks);
        return NULL;
    }
    blocks->inner = similar_memory_source(blocks->memory);
    return blocks;
}

void lookalike_blocks_destroy(struct lookalike_blocks *blocks)
{
    if (!blocks) {
        return;
    }
    lookalike_blocks_thaw(blocks);
    similar_memory_destroy(blocks->memory);
    free(blocks);
}

static const void *blocks_read(void *context, enum similar_kind kind, uint32_t number)
{
    const struct lookalike_blocks *blocks = context;
    return blocks->inner.on_read(blocks->inner.context, kind, number);
}

/* Keeps what the block holds, once, before it changes. */
static void block_settle(struct lookalike_blocks *blocks, enum similar_kind kind, uint32_t number)
{
    if (!blocks->frozen || number >= blocks->frozen_counts[kind] ||
        blocks->settled[kind][number] != 0) {
        return;
    }
    const void *block = blocks_read(blocks, kind, number);
    size_t bytes = similar_block_bytes(kind, blocks->dims);
    blocks->settled[kind][number] = 1;
    if (!block) {
        return;
    }
    uint8_t *image = malloc(bytes);
    if (!image) {
        blocks->torn = true;
        return;
    }
    memcpy(image, block, bytes);
    blocks->images[kind][number] = image;
}

static void *blocks_write(void *context, enum similar_kind kind, uint32_t number, size_t bytes)
{
    struct lookalike_blocks *blocks = context;
    block_settle(blocks, kind, number);
    void *block = blocks->inner.on_write(blocks->inner.context, kind, number, bytes);
    if (block && number >= blocks->counts[kind]) {
        blocks->counts[kind] = number + 1;
    }
    return block;
}

static void blocks_free(void *context, enum similar_kind kind, uint32_t number)
{
    struct lookalike_blocks *blocks = context;
    block_settle(blocks, kind, number);
    blocks->inner.on_free(blocks->inner.context, kind, number);
}

struct similar_source lookalike_blocks_source(struct lookalike_blocks *blocks)
{
    return (struct similar_source){.context = blocks,
                                   .on_read = blocks_read,
                                   .on_write = blocks_write,
                                   .on_free = blocks_free};
}

bool lookalike_blocks_freeze(struct lookalike_blocks *blocks)
{
    lookalike_blocks_thaw(blocks);
    for (int kind = 0; kind < SIMILAR_KINDS; kind++) {
        size_t count = blocks->counts[kind];
        blocks->settled[kind] = calloc(count + 1, 1);
        blocks->images[kind] = calloc(count + 1, sizeof *blocks->images[kind]);
        if (!blocks->settled[kind] || !blocks->images[kind]) {
            lookalike_blocks_thaw(blocks);
            return false;
        }
        blocks->frozen_counts[kind] = blocks->counts[kind];
    }
    blocks->frozen = true;
    return true;
}

void lookalike_blocks_thaw(struct lookalike_blocks *blocks)
{
    for (int kind = 0; kind < SIMILAR_KINDS; kind++) {
        for (uint32_t i = 0; blocks->images[kind] && i < blocks->frozen_counts[kind]; i++) {
            free(blocks->images[kind][i]);
        }
        free(blocks->settled[kind]);
        free(blocks->images[kind]);
        blocks->settled[kind] = NULL;
        blocks->images[kind] = NULL;
        blocks->frozen_counts[kind] = 0;
    }
    blocks->frozen = false;
    blocks->torn = false;
}

bool lookalike_blocks_take(struct lookalike_blocks *blocks, enum similar_kind kind, uint32_t number,
                           void *to)
{
    if (!blocks->frozen || blocks->torn || number >= blocks->frozen_counts[kind]) {
        return false;
    }
    bool settled = blocks->settled[kind][number] != 0;
    size_t bytes = similar_block_bytes(kind, blocks->dims);
    const void *block = settled ? blocks->images[kind][number] : blocks_read(blocks, kind, number);
    if (block) {
        memcpy(to, block, bytes);
        similar_block_seal(to, bytes);
    }
    blocks->settled[kind][number] = 1;
    free(blocks->images[kind][number]);
    blocks->images[kind][number] = NULL;
    return block != NULL;
}
