/* SPDX-License-Identifier: Apache-2.0 */
/* The quantising bounds hold for every vector, and block sizes are what the format says. */
#include "server/similar/similar_block.h"
#include "server/similar/similar_encode.h"
#include "server/similar/similar_measure.h"
#include "server/similar/similar_rotate.h"
#include "tests/unit/similar/similar_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void blocks_have_the_stated_sizes(void **state)
{
    (void)state;
    assert_int_equal(similar_block_bytes(SIMILAR_KIND_META, 128), 520);
    assert_int_equal(similar_block_bytes(SIMILAR_KIND_CENTROID, 128), 48 + 16 * 512);
    assert_int_equal(similar_block_bytes(SIMILAR_KIND_CODE, 128), 48 + 8 * 320 + 512);
    assert_int_equal(similar_block_bytes(SIMILAR_KIND_BYTE, 128), 48 + 8 * 2240);
    assert_int_equal(similar_block_bytes(SIMILAR_KIND_FLOAT, 128), 48 + 1024 + 128 * 512);
    /* A code block of 128 dimensions fits the page that LMDB gives it. */
    assert_true(similar_block_bytes(SIMILAR_KIND_CODE, 128) + SIMILAR_BLOCK_PHASE <= 4096);
    assert_int_equal(similar_block_bytes(SIMILAR_KIND_CODE, 1), 48 + 8 * 192 + 512);
}

struct pairs {
    struct similar_space space;
    float signs[SIMILAR_ROTATE_ROUNDS * SIMILAR_DIM_MAX];
    struct similar_code code;
    struct similar_probe probe;
    float centre[SIMILAR_DIM_MAX];
    float padded[SIMILAR_DIM_MAX];
    float rotated[SIMILAR_DIM_MAX];
};

/* |<r, q> - int8 product| in double, where x = c + r, against the stated bound. */
static void bound_holds(struct pairs *pairs, const float *x, const float *q)
{
    const struct similar_space *space = &pairs->space;
    struct similar_code *code = &pairs->code;
    memset(pairs->padded, 0, sizeof pairs->padded);
    memcpy(pairs->padded, x, space->dim * sizeof *x);
    double norm = similar_norm(space->kernel, pairs->padded, space->dim_float);
    double length = similar_space_rotate(space, pairs->padded, norm, pairs->rotated);
    similar_encode(space, pairs->rotated, length, pairs->centre, code);
    similar_probe_init(space, q, true, &pairs->probe);
    const struct similar_probe *probe = &pairs->probe;
    double shrink_x = 1;
    double shrink_q = 1;
    if (space->metric == SIMILAR_COSINE) {
        shrink_x = norm > 0 ? 1 / norm : 0;
        shrink_q = probe->norm > 0 ? 1 / probe->norm : 0;
    }
    double product = space->kernel->dot_pair(pairs->padded, probe->floats, space->dim_float) *
                     shrink_x * shrink_q;
    double centre = space->kernel->dot_pair(pairs->centre, probe->rotated, space->dim_padded);
    int32_t dot = space->kernel->dot_row(code->bytes, probe->bytes, space->dim_padded);
    double estimate =
        (double)(dot - probe->correction) * (double)code->scale * (double)probe->byte_step;
    double lost = (double)probe->byte_error;
    double width = (double)code->error * (probe->length + lost) + (double)code->radius * lost;
    assert_true(fabs(product - (centre + estimate)) <= width);
}

static void int8_bound_holds_for_all_pairs(void **state)
{
    (void)state;
    struct pairs *pairs = calloc(1, sizeof *pairs);
    assert_non_null(pairs);
    for (uint64_t seed = 1; seed <= 120; seed++) {
        struct fixture fixture;
        uint32_t dim = 1 + (uint32_t)(seed * 37 % 700);
        fixture_init(&fixture, seed, dim, 40, seed % 3, seed % SHAPES);
        pairs->space = (struct similar_space){
            .kernel = similar_kernel(),
            .metric = fixture.metric,
            .dim = dim,
            .dim_padded = similar_dim_padded(dim),
            .dim_float = similar_dim_float(dim),
            .signs = pairs->signs,
        };
        similar_rotate_signs(seed, pairs->space.dim_padded, pairs->signs);
        for (uint32_t i = 0; i < pairs->space.dim_padded; i++) {
            pairs->centre[i] = seed % 2 == 0 ? 0.0f : 0.1f * fixture_normal(&fixture);
        }
        for (uint32_t i = 0; i < 40; i++) {
            for (uint32_t j = 0; j < 40; j++) {
                bound_holds(pairs, fixture.vectors + (size_t)i * dim,
                            fixture.vectors + (size_t)j * dim);
            }
        }
        fixture_fini(&fixture);
    }
    free(pairs);
}

/* The 1-bit estimate: unbiased, and mostly inside its bound. */
static void one_bit_estimate_is_unbiased(void **state)
{
    (void)state;
    struct pairs *pairs = calloc(1, sizeof *pairs);
    struct fixture fixture;
    assert_non_null(pairs);
    fixture_init(&fixture, 17, 128, 300, SIMILAR_DOT, SHAPE_SMOOTH);
    pairs->space = (struct similar_space){.kernel = similar_kernel(),
                                          .metric = SIMILAR_DOT,
                                          .dim = 128,
                                          .dim_padded = 128,
                                          .dim_float = 128,
                                          .signs = pairs->signs};
    similar_rotate_signs(3, 128, pairs->signs);
    double bias = 0;
    double spread = 0;
    uint32_t outside = 0;
    for (uint32_t i = 0; i < 300; i++) {
        const float *x = fixture.vectors + (size_t)i * 128;
        const float *q = fixture.vectors + (size_t)((i * 7 + 1) % 300) * 128;
        bound_holds(pairs, x, q);
        double sum = 0;
        for (uint32_t k = 0; k < 128; k++) {
            bool up = (pairs->code.nibbles[k / 4] >> k % 4 & 1) != 0;
            sum += up ? (double)pairs->probe.rotated[k] : -(double)pairs->probe.rotated[k];
        }
        uint32_t bits = (uint32_t)pairs->code.rescale << 16;
        float rescale;
        memcpy(&rescale, &bits, sizeof rescale);
        double product = similar_pair(SIMILAR_DOT, x, q, 128);
        double scale = (double)rescale * pairs->probe.length;
        double error = (sum * (double)rescale - product) / scale;
        bias += error / 300;
        spread += error * error / 300;
        outside += fabs(error) > 1.9;
    }
    /* Standard error of the mean: sqrt(spread / 300). */
    assert_true(fabs(bias) < 4 * sqrt(spread / 300));
    assert_true(outside <= 3);
    free(pairs);
    fixture_fini(&fixture);
}

/*
 * Every single bit of one block of each kind. `checksum` false is the control: it must let most
 * flips pass, or the test would prove nothing about the checksum.
 */
static uint32_t flips_refused(struct fixture *fixture, enum similar_kind kind, bool checksum)
{
    struct similar_source source = similar_memory_source(fixture->memory);
    size_t bytes = similar_block_bytes(kind, fixture->dim);
    uint8_t *block = source.on_write(source.context, kind, 0, bytes);
    uint32_t refused = 0;
    similar_block_seal(block, bytes);
    assert_int_equal(similar_block_check(block, kind, 0, fixture->dim, true), SIMILAR_OK);
    for (size_t bit = 0; bit < bytes * 8; bit++) {
        block[bit / 8] ^= (uint8_t)(1 << bit % 8);
        refused += similar_block_check(block, kind, 0, fixture->dim, checksum) != SIMILAR_OK;
        block[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(similar_block_check(block, kind, 0, fixture->dim, true), SIMILAR_OK);
    return refused;
}

static void every_bit_that_flips_is_found(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, 5, 16, 300, SIMILAR_L2, SHAPE_SMOOTH);
    fixture_build(&fixture, 3);
    assert_int_equal(similar_flush(fixture.set), SIMILAR_OK);
    /* Blocks of a graph: test_similar_graph.c. */
    for (int kind = 0; kind < SIMILAR_KIND_GRAPH; kind++) {
        uint32_t bits = (uint32_t)similar_block_bytes((enum similar_kind)kind, 16) * 8;
        assert_int_equal(flips_refused(&fixture, (enum similar_kind)kind, true), bits);
        assert_true(flips_refused(&fixture, (enum similar_kind)kind, false) < bits / 10);
    }
    fixture_fini(&fixture);
}

/* What a flipped bit would do if nothing looked: another vector is nearest. */
static void control_a_bit_that_flips_unnoticed_changes_an_answer(void **state)
{
    (void)state;
    struct fixture fixture;
    struct similar_hit before;
    struct similar_hit after;
    uint32_t count = 0;
    fixture_init(&fixture, 6, 16, 300, SIMILAR_L2, SHAPE_SMOOTH);
    fixture_build(&fixture, 1);
    struct similar_query query = {.vector = fixture.vectors, .k = 1};
    similar_search(fixture.set, fixture.scratch, &query, &before, &count, NULL);
    /* The sign of a number of the vector that was asked for. */
    uint8_t *row = (uint8_t *)(uintptr_t)similar_get(fixture.set, before.id);
    row[3] ^= 0x80;
    similar_search(fixture.set, fixture.scratch, &query, &after, &count, NULL);
    assert_true(before.similarity == 1.0);
    assert_true(after.similarity < 1.0);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_have_the_stated_sizes),
        cmocka_unit_test(int8_bound_holds_for_all_pairs),
        cmocka_unit_test(one_bit_estimate_is_unbiased),
        cmocka_unit_test(every_bit_that_flips_is_found),
        cmocka_unit_test(control_a_bit_that_flips_unnoticed_changes_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
