/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of look-alike blocks, as they lie in memory and on disk (little-endian).
 *
 * Every block begins with one header of 48 bytes. Blocks begin 16 bytes past a 64-byte boundary
 * (LMDB's value on an overflow page), so the data behind the header lies on cache lines.
 *
 *  0  u32  magic "ISB1"          24  u32  used: places taken, <= 128 (code); else 0
 *  4  u8   layout version (1)    28  u32  live: places that hold an id (code); else 0
 *  5  u8   kind                  32  f32  radius: largest |x - centre| (byte); else 0
 *  6  u16  dim                   36  f32  reach: largest |base| (byte); else 0
 *  8  u64  XXH3-64 of all other  40  u32  order of this chunk in its list (code); else 0
 *          bytes of the block    44  u32  reserved, zero
 * 16  u32  block number
 * 20  u32  list (code, byte, float); 0xffffffff when free
 *
 * A chunk is 128 places; its number names three blocks. D is `dim` rounded up to 64, P is `dim`
 * rounded up to 16. A tile is 16 places.
 *
 * Code block: 8 tiles of 2 D + 64 bytes, then id[128] u32, 0xffffffff in a place without a
 * vector. The ids stand apart because a scan does not read them: it is bound by memory.
 *     2 D     codes: for each 8 groups of 4 dimensions one line of 64 bytes. Lane g of 16 bytes
 *             serves groups 8 l + 2 g (low nibbles) and 8 l + 2 g + 1 (high nibbles). Byte 2 j of
 *             a lane is place j, byte 2 j + 1 is place 8 + j: the sums of even and odd bytes are
 *             then the places in order. Bit b of a nibble is the sign of dimension 4 group + b.
 *     32      add[16]      bfloat16, -infinity in a place without a vector
 *     32      rescale[16]  bfloat16
 * Byte block: 8 tiles of 16 D + 192 bytes.
 *     128     {scale, base}[16]  f32 pairs
 *     64      error[16]          f32
 *     16 D    rows: D bytes a place, value + 128
 * Float block:
 *     1024    norm[128]  f64, |x|
 *     128*4P  rows: P floats a place, padded with zeros
 * Centroid block: 16 rows of D floats: centres in rotated space.
 * Meta block: see struct similar_meta.
 * Graph block: 64 vertices of 320 + 5 D bytes; number 0 says what belongs to the graph: see
 * similar_graph.h.
 */
#ifndef ICP_SIMILAR_BLOCK_H
#define ICP_SIMILAR_BLOCK_H

#include "server/similar/similar.h"

#include <assert.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "blocks are little-endian");

enum {
    SIMILAR_TILE = 16,
    SIMILAR_CHUNK = 128,
    SIMILAR_CHUNK_TILES = SIMILAR_CHUNK / SIMILAR_TILE,
    SIMILAR_GRAPH_GROUP = 64, /* vertices a block */
    SIMILAR_BLOCK_MAGIC = 0x31425349,
    SIMILAR_BLOCK_VERSION = 1,
    SIMILAR_BLOCK_PHASE = 16, /* A block's address modulo 64. */
};

struct similar_header {
    uint32_t magic;
    uint8_t version;
    uint8_t kind;
    uint16_t dim;
    uint64_t checksum;
    uint32_t number;
    uint32_t list;
    uint32_t used;
    uint32_t live;
    float radius;
    float reach;
    uint32_t order;
    uint32_t reserved;
};
static_assert(sizeof(struct similar_header) == 48, "header is 48 bytes");
static_assert(offsetof(struct similar_header, checksum) == 8, "checksum at 8");
static_assert(offsetof(struct similar_header, radius) == 32, "radius at 32");

/* What calibration chose for one recall target at one depth. */
struct similar_setting {
    float target;   /* Recall asked for. */
    float measured; /* Recall found on held-out stored vectors; 0 = not calibrated. */
    uint32_t probes;
    float epsilon;  /* Width of the bound of the 1-bit estimate. */
    float margin;   /* Stops probing; see similar_probe.c. */
    uint32_t depth; /* k / share of ids that pass the filter */
};
static_assert(sizeof(struct similar_setting) == 24, "setting is 24 bytes");

struct similar_meta {
    struct similar_header header;
    uint64_t seed;
    uint64_t vector_count;
    uint64_t built_count; /* Vectors at the last build or calibration. */
    uint32_t metric;
    uint32_t chunk_count;
    uint32_t list_count; /* Lists ever made, dead ones included. */
    uint32_t reserved;
    struct similar_setting settings[SIMILAR_LEVELS][SIMILAR_TARGETS];
};
static_assert(sizeof(struct similar_meta) == 48 + 40 + 432, "meta is 520 bytes");
static_assert(offsetof(struct similar_meta, settings) == 88, "settings at 88");

/* Dimensions rounded up for codes and bytes (64) and for floats (16). */
uint32_t similar_dim_padded(uint32_t dim);
uint32_t similar_dim_float(uint32_t dim);
/* Size of a block of one kind for vectors of `dim`. */
size_t similar_block_bytes(enum similar_kind kind, uint32_t dim);

/* Computes the checksum of a finished block; call before it is persisted. */
void similar_block_seal(void *block, size_t bytes);
/*
 * Whether a block is what it says: magic, version, kind, number, dim, reserved bytes, checksum.
 * `checksum` false skips the last, which reads the whole block.
 */
enum similar_status similar_block_check(const void *block, enum similar_kind kind, uint32_t number,
                                        uint32_t dim, bool checksum);

#endif
