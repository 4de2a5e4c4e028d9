/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/store_fixture.h"

#include <stdlib.h>

enum { TEXTS = 60000 };

static uint64_t hash_of(uint64_t i)
{
    return XXH3_64bits_withSeed(&i, sizeof i, 5);
}

static struct store_id_edit added(uint64_t i, uint32_t slot)
{
    return (struct store_id_edit){.hash = hash_of(i), .ref = slot, .add = true};
}

static struct store_id_edit taken(uint64_t i, uint32_t slot)
{
    return (struct store_id_edit){.hash = hash_of(i), .ref = slot};
}

static uint32_t look(const struct store_index *index, uint64_t i)
{
    return store_index_find(atomic_load(&index->table), hash_of(i));
}

static struct store_index *index_create(void)
{
    struct store_index *index = calloc(1, sizeof *index);
    assert_true(store_index_begin(index, 0));
    store_index_publish(index, 1);
    return index;
}

static void index_destroy(struct store_index *index)
{
    store_index_fini(index);
    free(index);
}

static void entries_are_found_changed_and_taken_away(void **state)
{
    (void)state;
    struct store_index *index = index_create();
    struct store_id_edit edits[] = {added(1, 10), added(2, 20), added(3, 30), added(3, 31)};
    assert_true(store_index_change(index, edits, 4, 2));
    assert_int_equal(atomic_load(&index->stable), 2);
    assert_int_equal(look(index, 1), 10);
    assert_int_equal(look(index, 2), 20);
    assert_int_equal(look(index, 3), STORE_REF_SHARED);
    assert_int_equal(look(index, 4), STORE_NO_SLOT);
    struct store_id_edit more[] = {taken(1, 10), added(1, 11 | STORE_REF_KEY), taken(2, 20),
                                   taken(3, 30)};
    assert_true(store_index_change(index, more, 4, 3));
    assert_int_equal(look(index, 1), 11);
    assert_int_equal(look(index, 2), STORE_NO_SLOT);
    assert_int_equal(look(index, 3), STORE_REF_SHARED); /* which is left, it cannot know */
    assert_int_equal(store_index_entries(index), 2);
    index_destroy(index);
}

/* Against an array that knows the truth, through growth in slices and by force. */
static void random_changes_equal_those_of_an_array(void **state)
{
    (void)state;
    static uint32_t truth[TEXTS];
    uint64_t seed = 42;
    struct store_index *index = index_create();
    memset(truth, 0xff, sizeof truth);
    for (int round = 0; round < 3000; round++) {
        struct store_id_edit edits[64];
        size_t count = 0;
        while (count < 63) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            uint64_t text = (seed >> 33) % TEXTS;
            uint32_t now = seed % 5 == 0 ? STORE_NO_SLOT : (uint32_t)(seed >> 40);
            if (truth[text] != STORE_NO_SLOT) {
                edits[count++] = taken(text, truth[text]);
            }
            if (now != STORE_NO_SLOT) {
                edits[count++] = added(text, now);
            }
            truth[text] = now;
        }
        assert_true(store_index_change(index, edits, count, (uint64_t)round + 2));
        if (round % 3 == 0) {
            store_index_step(index);
        }
        if (round % 100 == 0) {
            store_index_reclaim(index, UINT64_MAX);
        }
        if (round % 500 != 499) {
            continue;
        }
        size_t entries = 0;
        for (uint64_t i = 0; i < TEXTS; i++) {
            assert_int_equal(look(index, i), truth[i]);
            entries += truth[i] != STORE_NO_SLOT;
        }
        assert_int_equal(store_index_entries(index), entries);
    }
    index_destroy(index);
}

/* Entries that come and go must not leave marks that make every search longer. */
static void churn_leaves_no_long_searches(void **state)
{
    (void)state;
    struct store_index *index = index_create();
    for (uint64_t i = 0; i < 200000; i++) {
        struct store_id_edit edits[] = {added(i, 1), taken(i - 200, 1)};
        assert_true(store_index_change(index, edits, i < 200 ? 1 : 2, i + 2));
        store_index_step(index);
        store_index_reclaim(index, UINT64_MAX);
    }
    const struct store_index_table *table = atomic_load(&index->table);
    assert_int_equal(table->entries, 200);
    assert_true(table->line_count < 200);
    size_t passed = 0;
    for (size_t i = 0; i < table->line_count; i++) {
        passed += atomic_load(&table->lines[i].passed);
    }
    assert_true(passed < 200);
    index_destroy(index);
}

static void an_old_table_is_freed_only_when_no_view_can_hold_it(void **state)
{
    (void)state;
    struct store_index *index = index_create();
    uint64_t held = atomic_load(&index->epoch);
    const struct store_index_table *old = atomic_load(&index->table);
    for (uint64_t i = 0; i < 1000; i++) {
        struct store_id_edit edit = added(i, 7);
        assert_true(store_index_change(index, &edit, 1, i + 2));
        store_index_reclaim(index, held);
    }
    assert_ptr_not_equal(atomic_load(&index->table), old);
    assert_non_null(index->retired);
    assert_int_equal(store_index_find(old, hash_of(5)), 7); /* still there to be read */
    store_index_reclaim(index, atomic_load(&index->epoch));
    assert_null(index->retired);
    index_destroy(index);
}

static void an_entry_costs_less_than_twenty_two_bytes(void **state)
{
    (void)state;
    for (size_t entries = 100000; entries <= 400000; entries += 100000) {
        struct store_index *index = calloc(1, sizeof *index);
        assert_true(store_index_begin(index, entries));
        for (uint64_t i = 0; i < entries; i++) {
            assert_true(store_index_fill(index, hash_of(i), (uint32_t)i));
        }
        store_index_publish(index, 1);
        /* 64 bytes for an account with three entries; a huge page may be left over. */
        assert_true(store_index_bytes(index) <= entries * 64 / 3 + ((size_t)2 << 20));
        for (uint64_t i = 0; i < entries; i += 97) {
            assert_int_equal(look(index, i), i);
        }
        index_destroy(index);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_found_changed_and_taken_away),
        cmocka_unit_test(random_changes_equal_those_of_an_array),
        cmocka_unit_test(churn_leaves_no_long_searches),
        cmocka_unit_test(an_old_table_is_freed_only_when_no_view_can_hold_it),
        cmocka_unit_test(an_entry_costs_less_than_twenty_two_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
