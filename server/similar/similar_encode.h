/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is stored of a vector besides its floats, and what a query becomes.
 *
 * Let x be the vector (scaled to length 1 for cosine), rotated; c the rotated centre of its list;
 * r = x - c.
 *
 * One bit per dimension. Code s = sign(r), S(y) = sum of s_j y_j. With rho = |r|^2 / sum |r_j|,
 * rho * S(y) estimates <r, y> without bias over the random rotation (RaBitQ), and its error is at
 * most rho |y| sqrt(1 - a^2) e0 with probability 1 - 2 exp(-c0 e0^2), a = sum |r_j| / (|r| sqrt D),
 * about 0.8. With y = q - c the score is
 *     L2           -|r|^2 - |q - c|^2 + 2 rho (S(q) - S(c))
 *     dot, cosine  <c, q> + <r, c> + rho (S(q) - S(c))
 * which is list(q) + add + rescale S(q): S(q) needs one look-up table per query, not one per list.
 * Deviations from the paper: the query is not rounded to 4 bits per dimension; instead each sum
 * of 4 signed dimensions is rounded to 6 bits, once, which adds under 1 % to the error. The factor
 * sqrt(1 - a^2) is folded into `epsilon`, which calibration chooses.
 *
 * One byte per dimension. b_j = round(r_j / scale), scale = max |r_j| / 127, and
 * error >= |r - scale b|. For a query q with q = step u + e, |e| known:
 *     |<r, q> - scale step <b, u>| <= error |q| + scale |b| |e| <= error (|q| + |e|) + |r| |e|
 * by Cauchy and Schwarz, with |r| <= radius of the chunk. `error` includes what rotation and
 * subtraction in single precision may have moved the vector (SIMILAR_ROTATE_ERROR), so the bound
 * holds for the stored floats: proven, not measured. tests/unit/similar checks it all the same.
 */
#ifndef ICP_SIMILAR_ENCODE_H
#define ICP_SIMILAR_ENCODE_H

#include "server/similar/similar.h"
#include "server/similar/similar_kernel.h"

struct similar_space {
    const struct similar_kernel *kernel;
    enum similar_metric metric;
    uint32_t dim;        /* as given */
    uint32_t dim_padded; /* D */
    uint32_t dim_float;  /* P */
    const float *signs;  /* of the rotation */
};

/*
 * Rotates a vector: `out` holds D floats. Returns the length of what was rotated: 1 for cosine
 * (0 for the zero vector), |x| otherwise.
 */
double similar_space_rotate(const struct similar_space *space, const float *x, double norm,
                            float *out);

struct similar_code {
    uint16_t add; /* bfloat16; its rounding, 2^-9, is small against the estimate's error */
    uint16_t rescale;
    float scale;
    float base;
    float error;
    float radius;                         /* >= |r| */
    uint8_t nibbles[SIMILAR_DIM_MAX / 4]; /* one per group of 4 dimensions */
    uint8_t bytes[SIMILAR_DIM_MAX];       /* value + 128 */
};

/* Encodes a rotated vector of the given length against a rotated centre. */
void similar_encode(const struct similar_space *space, const float *rotated, double length,
                    const float *centre, struct similar_code *code);

/* A query, ready for every list. */
struct similar_probe {
    double norm;   /* of the floats as given */
    double length; /* of the rotated vector: see similar_space_rotate */
    double table_step;
    double table_sum;              /* S(q) = table_step * sum - table_sum */
    float byte_step;               /* q = byte_step * bytes + e */
    float byte_error;              /* >= |e| */
    int32_t correction;            /* 128 * sum of bytes */
    float floats[SIMILAR_DIM_MAX]; /* as given, padded with zeros */
    float rotated[SIMILAR_DIM_MAX];
    int8_t bytes[SIMILAR_DIM_MAX];
    uint8_t row[SIMILAR_DIM_MAX]; /* bytes + 128, for centres */
    uint8_t table[4 * SIMILAR_DIM_MAX];
};

/* Fills all of `probe`; the look-up table only when `table` is set. */
void similar_probe_init(const struct similar_space *space, const float *query, bool table,
                        struct similar_probe *probe);

/*
 * The look-up table of a vector of `dim` floats: S(x) = *step * sum of entries - *sum. 4 bytes a
 * dimension.
 */
void similar_table_init(const float *x, uint32_t dim, uint8_t *table, double *step, double *sum);

/* The nearest bfloat16 (ties to even) of a finite float, or of -infinity. */
uint16_t similar_bfloat(float value);

/* Rounds `count` floats to signed bytes with one step; returns it. 0 for zeros. */
float similar_round_bytes(const float *x, uint32_t count, int8_t *bytes);

#endif
