/* SPDX-License-Identifier: Apache-2.0 */
/* A frozen copy of a set's blocks, against a set that changes under it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/lookalike/lookalike_blocks.h"

#define DIMS 16
#define VECTORS 700

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static void vector_fill(uint64_t *seed, float *vector)
{
    for (int i = 0; i < DIMS; i++) {
        vector[i] = (float)(next_random(seed) % 2001) / 1000 - 1;
    }
}

static struct similar_set *set_create(struct lookalike_blocks *blocks, bool open)
{
    struct similar_options options = {.dim = DIMS,
                                      .metric = SIMILAR_COSINE,
                                      .seed = 1,
                                      .source = lookalike_blocks_source(blocks)};
    enum similar_status status;
    struct similar_set *set =
        open ? similar_open(&options, true, &status) : similar_create(&options, &status);
    if (!set) {
        fail_msg("%s", similar_status_text(status));
    }
    return set;
}

/* The frozen blocks as a set of their own. */
static struct lookalike_blocks *copy_taken(struct lookalike_blocks *from,
                                           const uint32_t counts[SIMILAR_KINDS])
{
    struct lookalike_blocks *copy = lookalike_blocks_create(DIMS);
    struct similar_source source = lookalike_blocks_source(copy);
    for (int kind = 0; kind < SIMILAR_KINDS; kind++) {
        size_t bytes = similar_block_bytes((enum similar_kind)kind, DIMS);
        uint8_t *room = malloc(bytes);
        for (uint32_t i = 0; i < counts[kind]; i++) {
            if (lookalike_blocks_take(from, (enum similar_kind)kind, i, room)) {
                memcpy(source.on_write(source.context, (enum similar_kind)kind, i, bytes), room,
                       bytes);
            }
        }
        free(room);
    }
    return copy;
}

static void a_frozen_copy_is_as_of_its_moment(void **state)
{
    (void)state;
    struct lookalike_blocks *blocks = lookalike_blocks_create(DIMS);
    struct similar_set *set = set_create(blocks, false);
    uint64_t seed = 7;
    float(*vectors)[DIMS] = calloc(VECTORS, sizeof *vectors);
    for (uint32_t id = 0; id < VECTORS; id++) {
        vector_fill(&seed, vectors[id]);
        assert_int_equal(similar_insert(set, id, vectors[id]), SIMILAR_OK);
    }
    assert_int_equal(similar_flush(set), SIMILAR_OK);
    assert_true(lookalike_blocks_freeze(blocks));
    for (uint32_t id = 0; id < VECTORS; id += 3) { /* changed, gone, new */
        float other[DIMS];
        vector_fill(&seed, other);
        assert_int_equal(similar_remove(set, id), SIMILAR_OK);
        if (id % 2 == 0) {
            assert_int_equal(similar_insert(set, id, other), SIMILAR_OK);
        }
        assert_int_equal(similar_insert(set, VECTORS + id, other), SIMILAR_OK);
    }
    assert_int_equal(similar_flush(set), SIMILAR_OK);
    struct lookalike_blocks *copy = copy_taken(blocks, blocks->frozen_counts);
    struct similar_set *opened = set_create(copy, true);
    assert_int_equal(similar_count(opened), VECTORS);
    for (uint32_t id = 0; id < VECTORS; id++) {
        assert_memory_equal(similar_get(opened, id), vectors[id], sizeof vectors[id]);
    }
    lookalike_blocks_thaw(blocks);
    assert_false(lookalike_blocks_take(blocks, SIMILAR_KIND_META, 0, vectors));
    similar_destroy(opened);
    lookalike_blocks_destroy(copy);
    similar_destroy(set);
    lookalike_blocks_destroy(blocks);
    free(vectors);
}

/* The control: without a freeze, what changed meanwhile shows. */
static void blocks_that_are_not_frozen_change(void **state)
{
    (void)state;
    struct lookalike_blocks *blocks = lookalike_blocks_create(DIMS);
    struct similar_set *set = set_create(blocks, false);
    uint64_t seed = 9;
    float vector[DIMS];
    uint8_t *before = malloc(similar_block_bytes(SIMILAR_KIND_FLOAT, DIMS));
    vector_fill(&seed, vector);
    assert_int_equal(similar_insert(set, 1, vector), SIMILAR_OK);
    struct similar_source source = lookalike_blocks_source(blocks);
    const void *block = source.on_read(source.context, SIMILAR_KIND_FLOAT, 0);
    memcpy(before, block, similar_block_bytes(SIMILAR_KIND_FLOAT, DIMS));
    vector_fill(&seed, vector);
    assert_int_equal(similar_insert(set, 2, vector), SIMILAR_OK);
    assert_memory_not_equal(before, block, similar_block_bytes(SIMILAR_KIND_FLOAT, DIMS));
    free(before);
    similar_destroy(set);
    lookalike_blocks_destroy(blocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frozen_copy_is_as_of_its_moment),
        cmocka_unit_test(blocks_that_are_not_frozen_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
