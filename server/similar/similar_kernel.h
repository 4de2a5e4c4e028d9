/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inner loops of look-alike search, once per instruction set.
 *
 * Shapes. `dim` is a padded dimension: a multiple of 64, at most 2048. Rows are `dim` unsigned
 * bytes, value + 128. Queries are `dim` signed bytes in [-127, 127]. Sixteen interleaved queries
 * are [dim / 4][16][4]: four dimensions of query 0, the same four of query 1, and so on. Tiles
 * and look-up tables are as in similar_block.h and similar_encode.h.
 *
 * Numerics. Integer sums are 32 bits: |sum| <= 255 * 127 * 2048 < 2^26. Look-up sums are 16 bits:
 * <= 63 * 512. The scalar kernels are the oracle; all others equal them to the bit, the floating
 * point ones too: every step is one IEEE operation in a fixed order, and nothing is contracted
 * (the files are compiled with -ffp-contract=off).
 *
 * Threads. Pure functions. The table is chosen once, at load time.
 */
#ifndef ICP_SIMILAR_KERNEL_H
#define ICP_SIMILAR_KERNEL_H

#include <stddef.h>
#include <stdint.h>

/* The 1-bit estimate of one list: value = add + rescale * (alpha * sum + beta). */
struct similar_estimate {
    const uint8_t *table; /* dim * 4 bytes: one look-up entry <= 63 for 16 nibbles a group. */
    uint32_t dim;
    float alpha;
    float beta;
};

/* The int8 bound of one list: value = base + offset + scale * (alpha * dot) + error * width. */
struct similar_bound {
    const int8_t *query;
    uint32_t dim;
    int32_t correction; /* 128 * sum of the query: taken from every dot. */
    float alpha;
    float offset;
    float width;
};

/* The same for 16 queries. */
struct similar_bound16 {
    const int8_t *queries; /* interleaved */
    uint32_t dim;
    int32_t correction[16];
    float alpha[16];
    float offset[16];
    float width[16];
    float threshold[16];
};

/* Centres to choose the nearest of: score = 2 <c, x> - |c|^2. */
struct similar_nearest {
    const int8_t *bytes;       /* interleaved groups of 16 */
    const int32_t *correction; /* 128 * sum of bytes */
    const float *step;
    const float *square; /* +infinity where there is no centre */
    uint32_t groups;
    uint32_t dim;
};

/* The nearest of many rows to each of 16 queries; distances without what only the query adds. */
struct similar_near {
    int32_t limit[16];
    int32_t best[16]; /* least distance so far */
    uint32_t best_at[16];
};

typedef void similar_dot_tile16(const uint8_t *rows, const int8_t *queries, uint32_t groups,
                                uint32_t dim, int32_t *out);

/* How many tiles ahead of its arithmetic a whole-set scan fetches: 8 KiB, or one tile. */
static inline uint32_t similar_tiles_ahead(size_t tile_bytes)
{
    return tile_bytes < 8192 ? (uint32_t)(8192 / tile_bytes) : 1;
}

struct similar_kernel {
    const char *name;
    /* out[i] = <rows[i], query> for 16 rows that follow each other. */
    void (*dot_tile)(const uint8_t *rows, const int8_t *query, uint32_t dim, int32_t *out);
    /* out[256 * g + 16 * i + j] = <rows[i], queries[g][j]> for 16 rows, `groups` groups. */
    similar_dot_tile16 *dot_tile16;
    /* nearest[i] = the centre nearest to rows[i], 16 rows of row_steps[i]; first of equals. */
    void (*nearest_tile)(const struct similar_nearest *centres, const uint8_t *rows,
                         const float *row_steps, uint32_t *nearest);
    /* out[16 * g + j] = <row, queries[g][j]> for `groups` groups of 16 interleaved queries. */
    void (*dot_groups)(const uint8_t *row, const int8_t *queries, uint32_t groups, uint32_t dim,
                       int32_t *out);
    int32_t (*dot_row)(const uint8_t *row, const int8_t *query, uint32_t dim);
    /* masks[t] bit i: value of place i of code tile t >= threshold. */
    void (*scan_codes)(const uint8_t *tiles, uint32_t tile_count,
                       const struct similar_estimate *estimate, float threshold, uint16_t *masks);
    /* out[i] = value of place i of one code tile. */
    void (*score_codes)(const uint8_t *tile, const struct similar_estimate *estimate, float *out);
    /* out[i] = value of place i of two code tiles that follow each other; bit i: >= threshold. */
    uint32_t (*score_pair)(const uint8_t *tiles, const struct similar_estimate *estimate,
                           float threshold, float *out);
    /*
     * For the first `rows` rows of a tile, dots as dot_tile16 gives them: masks[i] bit j:
     * norms[i] - 2 dots[16 * i + j] < limit[j]. Brings `best` up to date, first + i of row i; of
     * equals the first stays.
     */
    void (*near_tile16)(const int32_t *dots, const int32_t *norms, uint32_t first, uint32_t rows,
                        struct similar_near *near, uint16_t *masks);
    /*
     * Bit i: value of place i of a byte tile >= threshold. `ahead` is a tile to fetch meanwhile:
     * a whole-set scan is as fast as its memory, and only the caller knows what comes next.
     */
    uint16_t (*scan_bytes)(const uint8_t *tile, const uint8_t *ahead,
                           const struct similar_bound *bound, float threshold);
    /*
     * masks[16 * t + i] bit j: value of place i of byte tile t for query j >= its threshold.
     * `next` is where the scan goes on after these tiles.
     */
    void (*scan_bytes16)(const uint8_t *tiles, uint32_t tile_count, const uint8_t *next,
                         const struct similar_bound16 *bound, uint16_t *masks);
    /* Sums in 16 lanes of double, lane = index % 16, then lanes halved: 8, 4, 2, 1. */
    double (*dot_pair)(const float *x, const float *y, uint32_t count);
    double (*distance_pair)(const float *x, const float *y, uint32_t count); /* squared */
    /* In place: see similar_rotate.h. `spare` holds dim floats. */
    void (*rotate)(const float *signs, float *x, float *spare, uint32_t dim);
};

extern const struct similar_kernel similar_kernel_scalar;
#if defined(__x86_64__)
extern const struct similar_kernel similar_kernel_avx2;
extern const struct similar_kernel similar_kernel_avx512;
/* AMX replaces three kernels of AVX-512. */
similar_dot_tile16 similar_amx_dot_tile16;
void similar_amx_nearest_tile(const struct similar_nearest *centres, const uint8_t *rows,
                              const float *row_steps, uint32_t *nearest);
void similar_amx_scan_bytes16(const uint8_t *tiles, uint32_t tile_count, const uint8_t *next,
                              const struct similar_bound16 *bound, uint16_t *masks);
#endif

/* The best kernels for this processor. */
const struct similar_kernel *similar_kernel(void);
/* Every kernel table that this processor can run, scalar first; for tests. Returns the count. */
size_t similar_kernel_all(const struct similar_kernel **tables, size_t room);

#endif
