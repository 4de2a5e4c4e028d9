/* SPDX-License-Identifier: Apache-2.0 */
/* Every instruction set gives what the scalar kernels give, to the bit. */
#include "server/similar/similar_block.h"
#include "server/similar/similar_kernel.h"
#include "server/similar/similar_random.h"
#include "server/similar/similar_rotate.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TABLES_MAX = 8, GROUPS = 11, TILES = 3 };

/* Random inputs for all kernels of one dimension. */
struct inputs {
    uint64_t random;
    uint32_t dim;
    uint8_t rows[16 * SIMILAR_DIM_MAX];
    int8_t queries[GROUPS * 16 * SIMILAR_DIM_MAX];
    uint8_t codes[TILES * (2 * SIMILAR_DIM_MAX + 64)];
    uint8_t bytes[TILES * (16 * SIMILAR_DIM_MAX + 192)];
    uint8_t table[4 * SIMILAR_DIM_MAX];
    float x[SIMILAR_DIM_MAX];
    float y[SIMILAR_DIM_MAX];
    float signs[SIMILAR_ROTATE_ROUNDS * SIMILAR_DIM_MAX];
};

static float inputs_float(struct inputs *inputs)
{
    return (float)((double)(similar_random(&inputs->random) >> 40) * 0x1p-23 - 1.0);
}

/* Factors must be numbers; everything else may be any bytes. */
static void tile_factors(struct inputs *inputs, uint8_t *at, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        float value = inputs_float(inputs);
        memcpy(at + i * sizeof value, &value, sizeof value);
    }
}

static void inputs_fill(struct inputs *inputs, uint32_t dim, bool extreme)
{
    inputs->dim = dim;
    for (size_t i = 0; i < sizeof inputs->rows; i++) {
        inputs->rows[i] = extreme ? 255 : (uint8_t)similar_random(&inputs->random);
    }
    for (size_t i = 0; i < sizeof inputs->queries; i++) {
        inputs->queries[i] =
            (int8_t)(extreme ? 127 : (int)similar_random_below(&inputs->random, 255) - 127);
    }
    for (size_t i = 0; i < sizeof inputs->codes; i++) {
        inputs->codes[i] = (uint8_t)similar_random(&inputs->random);
    }
    for (size_t i = 0; i < sizeof inputs->bytes; i++) {
        inputs->bytes[i] = (uint8_t)similar_random(&inputs->random);
    }
    for (size_t i = 0; i < sizeof inputs->table; i++) {
        inputs->table[i] = extreme ? 63 : (uint8_t)(similar_random(&inputs->random) & 63);
    }
    for (uint32_t i = 0; i < SIMILAR_DIM_MAX; i++) {
        inputs->x[i] = inputs_float(inputs);
        inputs->y[i] = inputs_float(inputs);
    }
    similar_rotate_signs(inputs->random, dim, inputs->signs);
    for (uint32_t t = 0; t < TILES; t++) {
        uint8_t *halves = inputs->codes + (size_t)t * (2 * dim + 64) + (size_t)2 * dim;
        for (uint32_t i = 0; i < 32; i++) {
            float value = inputs_float(inputs);
            memcpy(halves + i * 2, (const uint8_t *)&value + 2, 2);
        }
        tile_factors(inputs, inputs->bytes + (size_t)t * (16 * dim + 192), 48);
    }
}

static void dots_agree(struct inputs *in, const struct similar_kernel *a,
                       const struct similar_kernel *b)
{
    static int32_t one[GROUPS * 256];
    static int32_t two[GROUPS * 256];
    assert_int_equal(a->dot_row(in->rows, in->queries, in->dim),
                     b->dot_row(in->rows, in->queries, in->dim));
    a->dot_tile(in->rows, in->queries, in->dim, one);
    b->dot_tile(in->rows, in->queries, in->dim, two);
    assert_memory_equal(one, two, 16 * sizeof *one);
    a->dot_tile16(in->rows, in->queries, GROUPS, in->dim, one);
    b->dot_tile16(in->rows, in->queries, GROUPS, in->dim, two);
    assert_memory_equal(one, two, sizeof one);
    a->dot_groups(in->rows, in->queries, GROUPS, in->dim, one);
    b->dot_groups(in->rows, in->queries, GROUPS, in->dim, two);
    assert_memory_equal(one, two, GROUPS * 16 * sizeof *one);
}

static void codes_agree(struct inputs *in, const struct similar_kernel *a,
                        const struct similar_kernel *b)
{
    struct similar_estimate estimate = {
        .table = in->table, .dim = in->dim, .alpha = 0.01f, .beta = -0.3f * (float)in->dim / 32};
    float one[16];
    float two[16];
    uint16_t masks_one[TILES];
    uint16_t masks_two[TILES];
    a->score_codes(in->codes, &estimate, one);
    b->score_codes(in->codes, &estimate, two);
    assert_memory_equal(one, two, sizeof one);
    a->scan_codes(in->codes, TILES, &estimate, one[3], masks_one);
    b->scan_codes(in->codes, TILES, &estimate, one[3], masks_two);
    assert_memory_equal(masks_one, masks_two, sizeof masks_one);
    assert_true((masks_one[0] >> 3 & 1) != 0);
    float pair_one[32];
    float pair_two[32];
    float threshold = one[5];
    assert_int_equal(a->score_pair(in->codes, &estimate, threshold, pair_one),
                     b->score_pair(in->codes, &estimate, threshold, pair_two));
    assert_memory_equal(pair_one, pair_two, sizeof pair_one);
    assert_memory_equal(pair_one, one, sizeof one);
}

static void near_agrees(struct inputs *in, const struct similar_kernel *a,
                        const struct similar_kernel *b)
{
    int32_t dots[256];
    int32_t norms[16];
    struct similar_near one;
    struct similar_near two;
    uint16_t masks_one[16];
    uint16_t masks_two[16];
    for (uint32_t i = 0; i < 256; i++) {
        dots[i] = (int32_t)similar_random_below(&in->random, 1000) - 500;
        norms[i % 16] = (int32_t)similar_random_below(&in->random, 1000);
        one.limit[i % 16] = (int32_t)(i % 16) * 100 - 500;
        one.best[i % 16] = i % 3 == 0 ? 100 : INT32_MAX;
        one.best_at[i % 16] = 7;
    }
    two = one;
    for (uint32_t rows = 0; rows <= 16; rows += 4) {
        a->near_tile16(dots, norms, 40, rows, &one, masks_one);
        b->near_tile16(dots, norms, 40, rows, &two, masks_two);
        assert_memory_equal(&one, &two, sizeof one);
        assert_memory_equal(masks_one, masks_two, rows * sizeof *masks_one);
    }
}

static void bytes_agree(struct inputs *in, const struct similar_kernel *a,
                        const struct similar_kernel *b)
{
    struct similar_bound bound = {.query = in->queries,
                                  .dim = in->dim,
                                  .correction = 1234,
                                  .alpha = 1e-5f,
                                  .offset = 0.1f,
                                  .width = 0.2f};
    struct similar_bound16 many = {.queries = in->queries, .dim = in->dim};
    uint16_t one[TILES * 16];
    uint16_t two[TILES * 16];
    for (uint32_t j = 0; j < 16; j++) {
        many.correction[j] = (int32_t)(100 * j);
        many.alpha[j] = 1e-5f * (float)(j + 1);
        many.offset[j] = 0.01f * (float)j;
        many.width[j] = 0.1f;
        many.threshold[j] = 0.2f;
    }
    for (uint32_t step = 0; step < 20; step++) {
        float threshold = (float)step * 0.2f - 2.0f;
        assert_int_equal(a->scan_bytes(in->bytes, in->bytes, &bound, threshold),
                         b->scan_bytes(in->bytes, in->bytes, &bound, threshold));
    }
    a->scan_bytes16(in->bytes, TILES, in->bytes, &many, one);
    b->scan_bytes16(in->bytes, TILES, in->bytes, &many, two);
    assert_memory_equal(one, two, sizeof one);
}

static void floats_agree(struct inputs *in, const struct similar_kernel *a,
                         const struct similar_kernel *b)
{
    float one[SIMILAR_DIM_MAX];
    float two[SIMILAR_DIM_MAX];
    float spare[SIMILAR_DIM_MAX];
    double x = a->dot_pair(in->x, in->y, in->dim - 48);
    double y = b->dot_pair(in->x, in->y, in->dim - 48);
    assert_memory_equal(&x, &y, sizeof x);
    x = a->distance_pair(in->x, in->y, in->dim);
    y = b->distance_pair(in->x, in->y, in->dim);
    assert_memory_equal(&x, &y, sizeof x);
    memcpy(one, in->x, sizeof one);
    memcpy(two, in->x, sizeof two);
    a->rotate(in->signs, one, spare, in->dim);
    b->rotate(in->signs, two, spare, in->dim);
    assert_memory_equal(one, two, in->dim * sizeof *one);
}

static void nearest_agrees(struct inputs *in, const struct similar_kernel *a,
                           const struct similar_kernel *b)
{
    int32_t correction[GROUPS * 16];
    float step[GROUPS * 16];
    float square[GROUPS * 16];
    float row_steps[16];
    uint32_t one[16];
    uint32_t two[16];
    struct similar_nearest centres = {.bytes = in->queries,
                                      .correction = correction,
                                      .step = step,
                                      .square = square,
                                      .groups = GROUPS,
                                      .dim = in->dim};
    for (uint32_t i = 0; i < GROUPS * 16; i++) {
        correction[i] = (int32_t)similar_random_below(&in->random, 1000);
        step[i] = 1.0f + inputs_float(in) * 0.1f;
        square[i] = i % 17 == 16 ? INFINITY : inputs_float(in);
        row_steps[i % 16] = 0.5f;
    }
    a->nearest_tile(&centres, in->rows, row_steps, one);
    b->nearest_tile(&centres, in->rows, row_steps, two);
    assert_memory_equal(one, two, sizeof one);
}

static void kernels_equal_scalar_to_the_bit(void **state)
{
    const struct similar_kernel *tables[TABLES_MAX];
    size_t count = similar_kernel_all(tables, TABLES_MAX);
    struct inputs *in = calloc(1, sizeof *in);
    (void)state;
    assert_non_null(in);
    in->random = 42;
    assert_string_equal(tables[0]->name, "scalar");
    for (uint32_t dim = 64; dim <= SIMILAR_DIM_MAX; dim += 64) {
        for (uint32_t extreme = 0; extreme < 2; extreme++) {
            inputs_fill(in, dim, extreme == 1);
            for (size_t t = 1; t < count; t++) {
                dots_agree(in, tables[0], tables[t]);
                codes_agree(in, tables[0], tables[t]);
                bytes_agree(in, tables[0], tables[t]);
                floats_agree(in, tables[0], tables[t]);
                nearest_agrees(in, tables[0], tables[t]);
                near_agrees(in, tables[0], tables[t]);
            }
        }
    }
    print_message("compared %zu kernel tables with scalar, in use: %s\n", count - 1,
                  similar_kernel_name());
    free(in);
}

static void rotation_keeps_lengths_and_angles(void **state)
{
    (void)state;
    struct inputs *in = calloc(1, sizeof *in);
    assert_non_null(in);
    const struct similar_kernel *kernel = similar_kernel();
    float spare[SIMILAR_DIM_MAX];
    in->random = 5;
    for (uint32_t dim = 64; dim <= SIMILAR_DIM_MAX; dim += 64) {
        inputs_fill(in, dim, false);
        double length = sqrt(kernel->dot_pair(in->x, in->x, dim));
        double other = sqrt(kernel->dot_pair(in->y, in->y, dim));
        double before = kernel->dot_pair(in->x, in->y, dim);
        kernel->rotate(in->signs, in->x, spare, dim);
        kernel->rotate(in->signs, in->y, spare, dim);
        double after = kernel->dot_pair(in->x, in->y, dim);
        assert_true(fabs(after - before) <= 2 * SIMILAR_ROTATE_ERROR * length * other);
        double turned = sqrt(kernel->dot_pair(in->x, in->x, dim));
        assert_true(fabs(turned - length) <= SIMILAR_ROTATE_ERROR * length);
    }
    free(in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_equal_scalar_to_the_bit),
        cmocka_unit_test(rotation_keeps_lengths_and_angles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
