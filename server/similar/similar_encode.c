/* SPDX-License-Identifier: Apache-2.0 */
#include "server/similar/similar_encode.h"

#include "server/similar/similar_block.h"
#include "server/similar/similar_measure.h"
#include "server/similar/similar_rotate.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* A float not below x >= 0. */
static float round_up(double x)
{
    return (float)(x * (1.0 + 4.0 * (double)FLT_EPSILON) + (double)FLT_MIN);
}

uint16_t similar_bfloat(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

double similar_space_rotate(const struct similar_space *space, const float *x, double norm,
                            float *out)
{
    float spare[SIMILAR_DIM_MAX];
    double length = norm;
    if (space->metric == SIMILAR_COSINE) {
        float shrink = norm > 0 ? (float)(1.0 / norm) : 0.0f;
        /* A norm that is subnormal has no float reciprocal; scale in double then. */
        bool tiny = norm > 0 && !isfinite(shrink);
        for (uint32_t i = 0; i < space->dim; i++) {
            out[i] = tiny ? (float)((double)x[i] / norm) : x[i] * shrink;
        }
        length = norm > 0 ? 1.0 : 0.0;
    } else {
        memcpy(out, x, space->dim * sizeof *out);
    }
    memset(out + space->dim, 0, (space->dim_padded - space->dim) * sizeof *out);
    space->kernel->rotate(space->signs, out, spare, space->dim_padded);
    return length;
}

/* The sums over dimensions that the factors are made of. */
struct residual {
    double square;  /* |r|^2 */
    double spread;  /* sum |r_j| */
    double centre;  /* S(c) */
    double product; /* <r, c> */
    float largest;  /* max |r_j| */
};

/*
 * Sums run in 16 lanes, lane = index % 16, which the compiler turns into vectors without changing
 * the order of a single addition.
 */
static struct residual residual_of(const float *rotated, const float *centre, uint32_t dim,
                                   float *r)
{
    float square[16] = {0};
    float spread[16] = {0};
    float through[16] = {0};
    float product[16] = {0};
    float largest[16] = {0};
    for (uint32_t i = 0; i < dim; i += 16) {
        for (uint32_t j = 0; j < 16; j++) {
            float value = rotated[i + j] - centre[i + j];
            float size = fabsf(value);
            r[i + j] = value;
            square[j] += value * value;
            spread[j] += size;
            through[j] += value > 0 ? centre[i + j] : -centre[i + j];
            product[j] += value * centre[i + j];
            largest[j] = size > largest[j] ? size : largest[j];
        }
    }
    struct residual sums = {0};
    for (uint32_t j = 0; j < 16; j++) {
        sums.square += (double)square[j];
        sums.spread += (double)spread[j];
        sums.centre += (double)through[j];
        sums.product += (double)product[j];
        sums.largest = largest[j] > sums.largest ? largest[j] : sums.largest;
    }
    return sums;
}

/* Rounds r to bytes + 128 and returns |r - scale b|^2, in lanes as above. */
static double bytes_of(const float *r, uint32_t dim, float scale, uint8_t *bytes)
{
    float inverse = scale > 0 ? 1.0f / scale : 0.0f;
    float lost[16] = {0};
    for (uint32_t i = 0; i < dim; i += 16) {
        for (uint32_t j = 0; j < 16; j++) {
            float level = r[i + j] * inverse + 128.5f;
            level = level < 1.0f ? 1.0f : level;
            level = level > 255.0f ? 255.0f : level;
            int32_t whole = (int32_t)level;
            float gap = r[i + j] - (float)(whole - 128) * scale;
            bytes[i + j] = (uint8_t)whole;
            lost[j] += gap * gap;
        }
    }
    double sum = 0;
    for (uint32_t j = 0; j < 16; j++) {
        sum += (double)lost[j];
    }
    return sum;
}

void similar_encode(const struct similar_space *space, const float *rotated, double length,
                    const float *centre, struct similar_code *code)
{
    uint32_t dim = space->dim_padded;
    float r[SIMILAR_DIM_MAX];
    struct residual sums = residual_of(rotated, centre, dim, r);
    double rho = sums.spread > 0 ? sums.square / sums.spread : 0;
    bool l2 = space->metric == SIMILAR_L2;
    code->add = similar_bfloat(
        (float)(l2 ? -sums.square - 2 * rho * sums.centre : sums.product - rho * sums.centre));
    code->rescale = similar_bfloat((float)(l2 ? 2 * rho : rho));
    code->scale = sums.largest / 127.0f;
    /* Below this a reciprocal would overflow; such a residual is all error. */
    if (code->scale < 4 * FLT_MIN) {
        code->scale = 0;
    }
    code->base = l2 ? (float)-(length * length) : 0.0f;
    double lost = sqrt(bytes_of(r, dim, code->scale, code->bytes));
    double rounding = 2 * SIMILAR_ROTATE_ERROR * length;
    double radius = sqrt(sums.square) * (1 + 1e-5);
    /* Sums of 64 floats a lane are off by at most 64 * 2^-24 of themselves; subtraction by 2^-24.
     */
    code->error = round_up(lost * (1 + 1e-5) + rounding + 1e-6 * radius);
    code->radius = round_up(radius + rounding);
    for (uint32_t group = 0; group < dim / 4; group++) {
        const float *four = r + (size_t)group * 4;
        code->nibbles[group] = (uint8_t)((four[0] > 0 ? 1 : 0) | (four[1] > 0 ? 2 : 0) |
                                         (four[2] > 0 ? 4 : 0) | (four[3] > 0 ? 8 : 0));
    }
}

float similar_round_bytes(const float *x, uint32_t count, int8_t *bytes)
{
    float largest = 0;
    for (uint32_t i = 0; i < count; i++) {
        float size = fabsf(x[i]);
        largest = size > largest ? size : largest;
    }
    float step = largest / 127.0f;
    if (step < 4 * FLT_MIN) {
        step = 0;
    }
    float inverse = step > 0 ? 1.0f / step : 0.0f;
    for (uint32_t i = 0; i < count; i++) {
        float level = x[i] * inverse + 128.5f;
        level = level < 1.0f ? 1.0f : level;
        level = level > 255.0f ? 255.0f : level;
        bytes[i] = (int8_t)((int32_t)level - 128);
    }
    return step;
}

/* The 16 signed sums of one group of 4: entry e adds dimension b where bit b of e is set. */
static void group_sums(const float *four, float *sums)
{
    sums[0] = -four[0] - four[1] - four[2] - four[3];
    for (uint32_t b = 0; b < 4; b++) {
        float twice = four[b] + four[b];
        for (uint32_t e = 0; e < 1u << b; e++) {
            sums[(1u << b) + e] = sums[e] + twice;
        }
    }
}

void similar_table_init(const float *x, uint32_t dim, uint8_t *table, double *table_step,
                        double *table_sum)
{
    enum { ENTRY_MAX = 63 };
    uint32_t groups = dim / 4;
    float reach[SIMILAR_DIM_MAX / 4];
    float largest = 0;
    double sum = 0;
    for (uint32_t g = 0; g < groups; g++) {
        const float *four = x + (size_t)g * 4;
        reach[g] = fabsf(four[0]) + fabsf(four[1]) + fabsf(four[2]) + fabsf(four[3]);
        largest = reach[g] > largest ? reach[g] : largest;
        sum += (double)reach[g];
    }
    float step = largest * 2.0f / ENTRY_MAX;
    float inverse = step > 4 * FLT_MIN ? 1.0f / step : 0.0f;
    *table_step = inverse > 0 ? (double)step : 0;
    *table_sum = sum;
    for (uint32_t g = 0; g < groups; g++) {
        float sums[16];
        uint8_t *entry = table + (size_t)(g / 8) * 128 + (g % 2) * 64 + (g % 8) / 2 * 16;
        group_sums(x + (size_t)g * 4, sums);
        for (uint32_t e = 0; e < 16; e++) {
            float level = (sums[e] + reach[g]) * inverse + 0.5f;
            level = level < 0.0f ? 0.0f : level;
            entry[e] = (uint8_t)(level > ENTRY_MAX ? ENTRY_MAX : level);
        }
    }
}

void similar_probe_init(const struct similar_space *space, const float *query, bool table,
                        struct similar_probe *probe)
{
    uint32_t dim = space->dim_padded;
    memcpy(probe->floats, query, space->dim * sizeof *query);
    memset(probe->floats + space->dim, 0, (space->dim_float - space->dim) * sizeof *query);
    probe->norm = similar_norm(space->kernel, probe->floats, space->dim_float);
    probe->length = similar_space_rotate(space, probe->floats, probe->norm, probe->rotated);
    probe->byte_step = similar_round_bytes(probe->rotated, dim, probe->bytes);
    double lost = 0;
    int32_t sum = 0;
    for (uint32_t i = 0; i < dim; i++) {
        double gap = (double)probe->rotated[i] - (double)probe->bytes[i] * (double)probe->byte_step;
        lost += gap * gap;
        sum += probe->bytes[i];
        probe->row[i] = (uint8_t)(probe->bytes[i] + 128);
    }
    probe->byte_error = round_up(sqrt(lost) + 2 * SIMILAR_ROTATE_ERROR * probe->length);
    probe->correction = 128 * sum;
    if (table) {
        similar_table_init(probe->rotated, dim, probe->table, &probe->table_step,
                           &probe->table_sum);
    }
}
