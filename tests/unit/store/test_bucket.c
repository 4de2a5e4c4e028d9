/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/store_fixture.h"

#include <stdlib.h>

enum { ENTRIES = 5000 };

static int setup(void **state)
{
    static struct fixture fixture;
    fixture_init(&fixture);
    fixture_open(&fixture);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    fixture_fini(*state);
    return 0;
}

static uint64_t hash_of(uint64_t i)
{
    return XXH3_64bits_withSeed(&i, sizeof i, 3);
}

static bool holds(const struct disk_txn *txn, uint64_t hash, uint32_t ref)
{
    struct store_bucket bucket;
    struct proto_fault fault;
    assert_true(
        store_bucket_get(txn, store_bucket_of(hash, txn->state.id_buckets), &bucket, &fault));
    for (uint32_t i = 0; i < bucket.count; i++) {
        if (store_bucket_hash(&bucket, i) == hash &&
            (store_bucket_ref(&bucket, i) & ~STORE_REF_SHARED) == ref) {
            return true;
        }
    }
    return false;
}

static void a_hash_keeps_to_its_bucket_or_moves_to_the_new_one(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 200; i++) {
        uint64_t hash = hash_of(i);
        assert_int_equal(store_bucket_of(hash, 1), 0);
        for (uint32_t buckets = 1; buckets < 300; buckets++) {
            uint32_t before = store_bucket_of(hash, buckets);
            uint32_t after = store_bucket_of(hash, buckets + 1);
            assert_true(before < buckets);
            assert_true(after == before || after == buckets);
        }
    }
}

static bool edit_all(struct disk_txn *txn, struct store_bucket_room *room,
                     struct store_id_edit *edits, size_t count)
{
    struct proto_fault fault;
    uint32_t damaged = 0;
    return store_bucket_edit(txn, room, edits, count, &damaged, &fault) && damaged == 0;
}

static void entries_are_added_split_and_taken_away(void **state)
{
    struct fixture *fixture = *state;
    struct disk_txn txn;
    struct store_bucket_room room = {0};
    struct proto_fault fault;
    static struct store_id_edit edits[100];
    assert_true(disk_txn_write(&txn, &fixture->store->env, &fault));
    for (uint32_t i = 0; i < ENTRIES; i += 100) {
        for (uint32_t j = 0; j < 100; j++) {
            edits[j] = (struct store_id_edit){.hash = hash_of(i + j), .ref = i + j, .add = true};
        }
        assert_true(edit_all(&txn, &room, edits, 100));
    }
    assert_int_equal(txn.state.id_entries, ENTRIES);
    assert_in_range(txn.state.id_buckets, ENTRIES / STORE_BUCKET_TARGET,
                    ENTRIES / STORE_BUCKET_TARGET + 1);
    assert_int_equal(txn.state.sums[DISK_TABLE_ID].count, txn.state.id_buckets);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        assert_true(holds(&txn, hash_of(i), i));
    }
    for (uint32_t i = 0; i < ENTRIES; i += 2) {
        struct store_id_edit edit = {.hash = hash_of(i), .ref = i};
        assert_true(edit_all(&txn, &room, &edit, 1));
    }
    for (uint32_t i = 0; i < ENTRIES; i++) {
        assert_int_equal(holds(&txn, hash_of(i), i), i % 2);
    }
    disk_txn_abort(&txn);
    store_bucket_room_fini(&room);
}

static void taking_away_what_is_not_there_is_damage(void **state)
{
    struct fixture *fixture = *state;
    struct disk_txn txn;
    struct store_bucket_room room = {0};
    struct proto_fault fault;
    struct store_id_edit edit = {.hash = 5, .ref = 1};
    assert_true(disk_txn_write(&txn, &fixture->store->env, &fault));
    uint32_t damaged = 0;
    assert_true(store_bucket_edit(&txn, &room, &edit, 1, &damaged, &fault));
    assert_int_equal(damaged, 1);
    assert_int_equal(fault.code, PROTO_CORRUPT);
    disk_txn_abort(&txn);
    store_bucket_room_fini(&room);
}

static void a_damaged_bucket_stays_as_it_is_and_stops_no_other(void **state)
{
    struct fixture *fixture = *state;
    struct disk_txn txn;
    struct store_bucket_room room = {0};
    struct store_bucket bucket;
    struct proto_fault fault;
    struct proto_span value;
    uint32_t damaged = 0;
    static struct store_id_edit edits[200];
    assert_true(disk_txn_write(&txn, &fixture->store->env, &fault));
    for (uint32_t i = 0; i < 200; i++) {
        edits[i] = (struct store_id_edit){.hash = i, .ref = i, .add = true};
    }
    assert_true(edit_all(&txn, &room, edits, 200));
    assert_true(txn.state.id_buckets > 3);
    assert_int_equal(disk_txn_get(&txn, DISK_TABLE_ID, 1, &value, &fault), DISK_GOT_ONE);
    uint8_t copy[2048];
    assert_true(value.bytes <= sizeof copy);
    memcpy(copy, value.data, value.bytes);
    copy[20] ^= 1;
    uint8_t *at = disk_txn_put(&txn, DISK_TABLE_ID, 1, value.bytes, DISK_PUT_ANY, &fault);
    memcpy(at, copy, value.bytes);
    for (uint32_t i = 0; i < 200; i++) {
        edits[i] = (struct store_id_edit){.hash = 1000 + i, .ref = 1000 + i, .add = true};
    }
    assert_true(store_bucket_edit(&txn, &room, edits, 200, &damaged, &fault));
    assert_in_range(damaged, 1, 2); /* at its splitting, and at its edits */
    assert_int_equal(fault.code, PROTO_CORRUPT);
    assert_false(store_bucket_get(&txn, 1, &bucket, &fault));
    assert_true(holds(&txn, 1000, 1000));
    disk_txn_abort(&txn);
    store_bucket_room_fini(&room);
}

static void equal_hashes_are_marked_while_there_are_several(void **state)
{
    struct fixture *fixture = *state;
    struct disk_txn txn;
    struct store_bucket_room room = {0};
    struct proto_fault fault;
    struct store_bucket bucket;
    struct store_id_edit edits[] = {{.hash = 77, .ref = 1, .add = true},
                                    {.hash = 77, .ref = 2 | STORE_REF_KEY, .add = true}};
    assert_true(disk_txn_write(&txn, &fixture->store->env, &fault));
    assert_true(edit_all(&txn, &room, &edits[0], 1));
    assert_true(store_bucket_get(&txn, 0, &bucket, &fault));
    assert_int_equal(store_bucket_ref(&bucket, 0), 1);
    assert_true(edit_all(&txn, &room, &edits[1], 1));
    assert_true(store_bucket_get(&txn, 0, &bucket, &fault));
    for (uint32_t i = 0; i < 2; i++) {
        assert_true((store_bucket_ref(&bucket, i) & STORE_REF_SHARED) != 0);
    }
    edits[0].add = false;
    assert_true(edit_all(&txn, &room, &edits[0], 1));
    assert_true(store_bucket_get(&txn, 0, &bucket, &fault));
    assert_int_equal(bucket.count, 1);
    assert_int_equal(store_bucket_ref(&bucket, 0), 2 | STORE_REF_KEY);
    disk_txn_abort(&txn);
    store_bucket_room_fini(&room);
}

static void any_flipped_bit_of_a_bucket_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    struct disk_txn txn;
    struct store_bucket_room room = {0};
    struct proto_fault fault;
    struct store_bucket bucket;
    struct store_id_edit edits[] = {{.hash = 1, .ref = 1, .add = true},
                                    {.hash = 2, .ref = 2, .add = true}};
    uint8_t copy[64];
    struct proto_span value;
    assert_true(disk_txn_write(&txn, &fixture->store->env, &fault));
    assert_true(edit_all(&txn, &room, edits, 2));
    assert_int_equal(disk_txn_get(&txn, DISK_TABLE_ID, 0, &value, &fault), DISK_GOT_ONE);
    assert_int_equal(value.bytes, 48);
    memcpy(copy, value.data, value.bytes);
    assert_true(store_bucket_get(&txn, 0, &bucket, &fault)); /* the control */
    for (size_t bit = 0; bit < value.bytes * 8; bit++) {
        uint8_t *at = disk_txn_put(&txn, DISK_TABLE_ID, 0, value.bytes, 0, &fault);
        memcpy(at, copy, value.bytes);
        at[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(store_bucket_get(&txn, 0, &bucket, &fault));
        assert_int_equal(fault.code, PROTO_CORRUPT);
    }
    /* Nor does a bucket pass in the place of another. */
    uint8_t *at = disk_txn_put(&txn, DISK_TABLE_ID, 1, value.bytes, 0, &fault);
    memcpy(at, copy, value.bytes);
    assert_false(store_bucket_get(&txn, 1, &bucket, &fault));
    disk_txn_abort(&txn);
    store_bucket_room_fini(&room);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_keeps_to_its_bucket_or_moves_to_the_new_one),
        T(entries_are_added_split_and_taken_away),
        T(taking_away_what_is_not_there_is_damage),
        T(a_damaged_bucket_stays_as_it_is_and_stops_no_other),
        T(equal_hashes_are_marked_while_there_are_several),
        T(any_flipped_bit_of_a_bucket_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
