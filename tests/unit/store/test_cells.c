/* SPDX-License-Identifier: Apache-2.0 */
/* What was put is met once, however tables grow and hashes collide, and hardly anything else is. */
#include "server/store/cells.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MANY = 5000 };

struct cell {
    uint64_t hash;
};

static uint64_t hash_of(const void *cell)
{
    return ((const struct cell *)cell)->hash;
}

static void put(_Atomic(struct store_cells *) *table, struct cell *cell, size_t taken,
                size_t *bytes)
{
    size_t grown;
    assert_true(store_cells_reserve(table, taken, hash_of, &grown));
    *bytes += grown;
    store_cells_put(atomic_load(table), cell->hash, cell);
}

/* How often the very cell is met in a search for its hash. */
static unsigned met(const struct store_cells *cells, uint64_t hash, const struct cell *wanted)
{
    uint64_t at = hash;
    unsigned count = 0;
    for (const struct cell *cell; (cell = store_cells_next(cells, hash, &at)) != NULL;) {
        count += cell == wanted;
    }
    return count;
}

static void what_was_put_is_met_once_however_tables_grow_and_hashes_collide(void **state)
{
    (void)state;
    /* All bits of the hash, those of the place alone, those of the tag alone, none. */
    static const uint64_t masks[] = {UINT64_MAX, 0xffff, UINT64_C(0xffff) << 28, 0};
    static struct cell cells[MANY];
    for (size_t m = 0; m < sizeof masks / sizeof *masks; m++) {
        size_t count = masks[m] == UINT64_MAX ? MANY : 300;
        _Atomic(struct store_cells *) table = store_cells_create(4);
        size_t bytes = store_cells_bytes(4);
        for (size_t i = 0; i < count; i++) {
            cells[i].hash = (i + 1) * UINT64_C(0x9E3779B97F4A7C15) & masks[m];
            put(&table, &cells[i], i, &bytes);
            assert_int_equal(met(atomic_load(&table), cells[i].hash, &cells[i]), 1);
        }
        size_t sum = 0;
        for (const struct store_cells *one = atomic_load(&table); one != NULL; one = one->smaller) {
            sum += store_cells_bytes(one->count);
        }
        assert_int_equal(sum, bytes);
        assert_true(atomic_load(&table)->count * 2 >= count * 3);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(met(atomic_load(&table), cells[i].hash, &cells[i]), 1);
        }
        store_cells_destroy(atomic_load(&table));
    }
}

static void what_was_not_put_is_hardly_ever_looked_at(void **state)
{
    (void)state;
    static struct cell cells[MANY];
    _Atomic(struct store_cells *) table = store_cells_create(4);
    size_t bytes = 0;
    unsigned met_in_vain = 0;
    for (size_t i = 0; i < MANY; i++) {
        cells[i].hash = (i + 1) * UINT64_C(0x9E3779B97F4A7C15);
        put(&table, &cells[i], i, &bytes);
    }
    for (size_t i = MANY; i < (size_t)20 * MANY; i++) {
        uint64_t hash = (i + 1) * UINT64_C(0x9E3779B97F4A7C15);
        uint64_t at = hash;
        met_in_vain += store_cells_next(atomic_load(&table), hash, &at) != NULL;
    }
    /* Two places a search of 2^15 tags: some 10 in 95,000. */
    assert_true(met_in_vain < 60);
    store_cells_destroy(atomic_load(&table));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_met_once_however_tables_grow_and_hashes_collide),
        cmocka_unit_test(what_was_not_put_is_hardly_ever_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
