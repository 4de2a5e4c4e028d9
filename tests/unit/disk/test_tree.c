/* SPDX-License-Identifier: Apache-2.0 */
/* A leaf of table `vector` is damaged while the store is open: what stands below it is refused and
 * nothing else, a walk goes on behind it, and a transaction puts aside what belongs there. */
#include "tests/unit/store/store_fixture.h"

#include "server/disk/trunk.h"
#include "server/disk/txn.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { KEYS = 3000, VALUE_BYTES = 128, MANY = 1700 };

struct broken {
    struct fixture fixture;
    uint64_t page;
    uint64_t low, high; /* keys that it has */
};

static struct disk_env *env_of(struct broken *broken)
{
    return &broken->fixture.store->env;
}

static void value_fill(uint8_t *at, uint64_t key, size_t bytes)
{
    memset(at, 0, bytes);
    disk_set_u64(at + 8, key * 3);
    disk_set_u64(at, disk_check(DISK_TABLE_VECTOR, key, at + 8, bytes - 8));
}

static bool put_one_key(struct disk_txn *txn, uint64_t key, enum disk_put how)
{
    struct proto_fault fault;
    uint8_t *at = disk_txn_put(txn, DISK_TABLE_VECTOR, key, VALUE_BYTES, how, &fault);
    if (at != NULL) {
        value_fill(at, key, VALUE_BYTES);
    }
    return at != NULL;
}

/* Keys 2, 4, 6 …, so that there is room between them. */
static int setup(void **state)
{
    static struct broken broken;
    struct proto_fault fault;
    struct disk_txn txn;
    fixture_init(&broken.fixture);
    fixture_open(&broken.fixture);
    assert_true(disk_txn_write(&txn, env_of(&broken), &fault));
    for (uint64_t i = 1; i <= KEYS; i++) {
        assert_true(put_one_key(&txn, i * 2, DISK_PUT_LAST));
    }
    assert_true(disk_txn_commit(&txn, &fault));
    assert_true(disk_txn_read(&txn, env_of(&broken), &fault));
    struct disk_walk walk;
    struct proto_span value;
    uint64_t key;
    disk_walk_begin(&walk, &txn.trees[DISK_TABLE_VECTOR], KEYS, true);
    assert_int_equal(disk_walk_next(&walk, &key, &value, &fault), DISK_GOT_ONE);
    assert_int_equal(key, KEYS);
    assert_true(walk.level >= 1);
    broken.page = walk.steps[walk.level].number;
    broken.low = walk.steps[walk.level].low;
    broken.high = walk.steps[walk.level].high;
    disk_txn_abort(&txn);
    *state = &broken;
    return 0;
}

static int teardown(void **state)
{
    struct broken *broken = *state;
    fixture_close(&broken->fixture);
    fixture_fini(&broken->fixture);
    return 0;
}

static void flip(struct broken *broken, size_t byte, uint8_t bits)
{
    char path[128];
    uint8_t was;
    snprintf(path, sizeof path, "%s/data.mdb", broken->fixture.path);
    int fd = open(path, O_RDWR);
    off_t at = (off_t)(broken->page * DISK_PAGE_BYTES + byte);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &was, 1, at), 1);
    was ^= bits;
    assert_int_equal(pwrite(fd, &was, 1, at), 1);
    close(fd);
}

/* The number of the page, its kind, its lower and upper bound, an offset of a node, a node's size.
 */
static const struct {
    size_t byte;
    uint8_t bits;
} places[] = {{1, 1}, {10, 1}, {10, 4}, {12, 64}, {13, 128}, {14, 2}, {15, 8}, {17, 64}, {3952, 4}};

static void damage_costs_the_keys_below_it(void **state)
{
    struct broken *broken = *state;
    for (size_t i = 0; i < sizeof places / sizeof *places - 3; i++) {
        struct disk_txn txn;
        struct proto_fault fault;
        flip(broken, places[i].byte, places[i].bits);
        assert_true(disk_txn_read(&txn, env_of(broken), &fault));
        for (uint64_t key = 1; key <= KEYS * 2; key++) {
            struct proto_span value;
            enum disk_got got = disk_txn_get(&txn, DISK_TABLE_VECTOR, key, &value, &fault);
            bool below = key >= broken->low && key <= broken->high;
            if (!below) {
                assert_int_equal(got, key % 2 == 0 ? DISK_GOT_ONE : DISK_GOT_NONE);
            } else if (key % 2 != 0) {
                assert_int_equal(got, DISK_GOT_FAULT); /* nobody can say that it is not there */
                assert_int_equal(fault.code, PROTO_CORRUPT);
            } else if (got == DISK_GOT_ONE) {
                assert_int_equal(disk_get_u64(value.data + 8), key * 3);
            }
        }
        disk_txn_abort(&txn);
        flip(broken, places[i].byte, places[i].bits);
    }
}

static uint64_t walked(struct broken *broken, unsigned *faults)
{
    struct disk_txn txn;
    struct disk_cursor cursor;
    struct proto_fault fault;
    enum disk_got got;
    uint64_t count = 0;
    *faults = 0;
    assert_true(disk_txn_read(&txn, env_of(broken), &fault));
    assert_true(disk_cursor_open(&cursor, &txn, DISK_TABLE_VECTOR, &fault));
    disk_cursor_thorough(&cursor);
    while ((got = disk_cursor_next(&cursor, &fault)) != DISK_GOT_NONE) {
        *faults += got == DISK_GOT_FAULT;
        count += got == DISK_GOT_ONE;
    }
    disk_cursor_close(&cursor);
    disk_txn_abort(&txn);
    return count;
}

static void a_walk_goes_on_behind_damage(void **state)
{
    struct broken *broken = *state;
    unsigned faults;
    assert_int_equal(walked(broken, &faults), KEYS);
    assert_int_equal(faults, 0);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        flip(broken, places[i].byte, places[i].bits);
        uint64_t count = walked(broken, &faults);
        assert_true(faults >= 1);
        assert_true(count + (broken->high - broken->low + 1) / 2 >= KEYS);
        flip(broken, places[i].byte, places[i].bits);
    }
}

static void what_belongs_behind_damage_is_put_aside(void **state)
{
    struct broken *broken = *state;
    struct proto_fault fault;
    struct disk_txn txn;
    struct proto_span value;
    uint64_t inside = broken->low + 1;
    flip(broken, 10, 1);
    for (int round = 0; round < 2; round++) { /* again over what is there, and after a commit */
        assert_true(disk_txn_write(&txn, env_of(broken), &fault));
        assert_true(put_one_key(&txn, inside, DISK_PUT_ANY));
        assert_true(put_one_key(&txn, 2, DISK_PUT_ANY));
        assert_true(put_one_key(&txn, KEYS * 2 + 2 + (uint64_t)round, DISK_PUT_LAST));
        assert_int_equal(disk_txn_get(&txn, DISK_TABLE_VECTOR, inside, &value, &fault),
                         DISK_GOT_ONE);
        assert_int_equal(disk_txn_get(&txn, DISK_TABLE_VECTOR, broken->high - 1, &value, &fault),
                         DISK_GOT_FAULT);
        assert_false(disk_txn_delete(&txn, DISK_TABLE_VECTOR, broken->low, &fault));
        assert_int_equal(fault.code, PROTO_CORRUPT);
        assert_true(
            disk_txn_delete(&txn, DISK_TABLE_VECTOR, KEYS * 2 - 2 * (uint64_t)round, &fault));
        assert_true(disk_txn_commit(&txn, &fault));
    }
    assert_true(disk_txn_read(&txn, env_of(broken), &fault));
    assert_int_equal(disk_txn_get(&txn, DISK_TABLE_VECTOR, inside, &value, &fault), DISK_GOT_ONE);
    assert_int_equal(disk_get_u64(value.data + 8), inside * 3);
    assert_int_equal(value.bytes, VALUE_BYTES);
    assert_int_equal(disk_txn_get(&txn, DISK_TABLE_VECTOR, KEYS * 2 + 3, &value, &fault),
                     DISK_GOT_ONE);
    assert_int_equal(txn.state.sums[DISK_TABLE_ASIDE].count, 1);
    disk_txn_abort(&txn);
    flip(broken, 10, 1);
}

/* LMDB splits, merges and moves pages; each is as the reader expects it. */
static void every_page_that_lmdb_writes_is_sound(void **state)
{
    struct broken *broken = *state;
    struct proto_fault fault;
    unsigned faults;
    uint64_t seed = 5;
    for (int round = 0; round < 20; round++) {
        struct disk_txn txn;
        assert_true(disk_txn_write(&txn, env_of(broken), &fault));
        for (int i = 0; i < MANY; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            uint64_t key = 1 + (seed >> 33) % (KEYS * 2);
            /* Some on several pages of their own, which a shorter value then keeps. */
            size_t bytes = 16 + (seed >> 20) % (i % 16 == 0 ? 30000 : 3000);
            struct proto_span value;
            bool there = disk_txn_get(&txn, DISK_TABLE_VECTOR, key, &value, &fault) == DISK_GOT_ONE;
            if (there && (round + i) % 3 != 0) {
                assert_true(disk_txn_delete(&txn, DISK_TABLE_VECTOR, key, &fault));
                continue;
            }
            uint8_t *at = disk_txn_put(&txn, DISK_TABLE_VECTOR, key, bytes, DISK_PUT_ANY, &fault);
            assert_non_null(at);
            value_fill(at, key, bytes);
        }
        assert_true(disk_txn_commit(&txn, &fault));
        (void)walked(broken, &faults);
        assert_int_equal(faults, 0);
        assert_true(disk_txn_read(&txn, env_of(broken), &fault));
        assert_int_equal(txn.state.sums[DISK_TABLE_ASIDE].count, 0);
        assert_true(disk_trunk_free(env_of(broken)) > 0);
        disk_txn_abort(&txn);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
        WITH_STORE(damage_costs_the_keys_below_it),
        WITH_STORE(a_walk_goes_on_behind_damage),
        WITH_STORE(what_belongs_behind_damage_is_put_aside),
        WITH_STORE(every_page_that_lmdb_writes_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
