/* SPDX-License-Identifier: Apache-2.0 */
#include "server/similar/similar_block.h"

#include <string.h>
#include <xxhash.h>

uint32_t similar_dim_padded(uint32_t dim)
{
    return (dim + 63) / 64 * 64;
}

uint32_t similar_dim_float(uint32_t dim)
{
    return (dim + 15) / 16 * 16;
}

size_t similar_block_bytes(enum similar_kind kind, uint32_t dim)
{
    size_t padded = similar_dim_padded(dim);
    size_t header = sizeof(struct similar_header);
    switch (kind) {
    case SIMILAR_KIND_META:
        return sizeof(struct similar_meta);
    case SIMILAR_KIND_CENTROID:
        return header + SIMILAR_TILE * padded * sizeof(float);
    case SIMILAR_KIND_CODE:
        return header + SIMILAR_CHUNK_TILES * (2 * padded + 64) + SIMILAR_CHUNK * 4;
    case SIMILAR_KIND_BYTE:
        return header + SIMILAR_CHUNK_TILES * (16 * padded + 192);
    case SIMILAR_KIND_FLOAT:
        return header + SIMILAR_CHUNK * (sizeof(double) + similar_dim_float(dim) * sizeof(float));
    case SIMILAR_KIND_GRAPH:
        return header + SIMILAR_GRAPH_GROUP * (size_t)(320 + 5 * padded);
    case SIMILAR_KINDS:
        break;
    }
    return 0;
}

/* The checksum of everything but the checksum itself. */
static uint64_t block_checksum(const void *block, size_t bytes)
{
    const uint8_t *at = block;
    size_t skip = offsetof(struct similar_header, checksum);
    uint64_t head = XXH3_64bits(at, skip);
    return XXH3_64bits_withSeed(at + skip + 8, bytes - skip - 8, head);
}

void similar_block_seal(void *block, size_t bytes)
{
    struct similar_header *header = block;
    header->checksum = block_checksum(block, bytes);
}

enum similar_status similar_block_check(const void *block, enum similar_kind kind, uint32_t number,
                                        uint32_t dim, bool checksum)
{
    const struct similar_header *header = block;
    if (header->magic != SIMILAR_BLOCK_MAGIC) {
        return SIMILAR_ERROR_CORRUPT;
    }
    if (header->version != SIMILAR_BLOCK_VERSION) {
        return SIMILAR_ERROR_VERSION;
    }
    if (header->kind != kind || header->number != number || header->dim != dim ||
        header->reserved != 0 || header->used > SIMILAR_CHUNK || header->live > header->used) {
        return SIMILAR_ERROR_CORRUPT;
    }
    if (checksum && header->checksum != block_checksum(block, similar_block_bytes(kind, dim))) {
        return SIMILAR_ERROR_CORRUPT;
    }
    return SIMILAR_OK;
}
