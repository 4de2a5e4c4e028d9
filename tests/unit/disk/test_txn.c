/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/store_fixture.h"

#include <string.h>
#include <unistd.h>

#include "server/disk/txn.h"
#include "tests/unit/thread_io.h"

/* Values of eight bytes (the key again) under the given keys of table `vector`. */
static void put_keys(struct disk_env *env, const uint64_t *keys, size_t count)
{
    struct disk_txn txn;
    struct proto_fault fault;
    assert_true(disk_txn_write(&txn, env, &fault));
    for (size_t i = 0; i < count; i++) {
        uint8_t *at = disk_txn_put(&txn, DISK_TABLE_VECTOR, keys[i], 8, DISK_PUT_NEW, &fault);
        assert_non_null(at);
        disk_set_u64(at, keys[i]);
    }
    assert_true(disk_txn_commit(&txn, &fault));
}

static int open_store(void **state)
{
    static struct fixture fixture;
    fixture_init(&fixture);
    fixture_open(&fixture);
    *state = &fixture;
    return 0;
}

static int close_store(void **state)
{
    fixture_close(*state);
    fixture_fini(*state);
    return 0;
}

static void cursor_walks_in_the_order_of_keys(void **state)
{
    struct disk_env *env = &((struct fixture *)*state)->store->env;
    struct proto_fault fault;
    struct disk_txn txn;
    struct disk_cursor cursor;
    put_keys(env, (const uint64_t[]){7, 300, 5}, 3);
    assert_true(disk_txn_read(&txn, env, &fault));
    assert_true(disk_cursor_open(&cursor, &txn, DISK_TABLE_VECTOR, &fault));
    const uint64_t order[] = {5, 7, 300};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(disk_cursor_next(&cursor, &fault), DISK_GOT_ONE);
        assert_int_equal(cursor.key, order[i]);
        assert_int_equal(cursor.value.bytes, 8);
        assert_int_equal(disk_get_u64(cursor.value.data), order[i]);
    }
    assert_int_equal(disk_cursor_next(&cursor, &fault), DISK_GOT_NONE);
    disk_cursor_close(&cursor);
    disk_txn_abort(&txn);
}

static void cursor_finds_the_neighbours_of_a_key(void **state)
{
    struct disk_env *env = &((struct fixture *)*state)->store->env;
    struct proto_fault fault;
    struct disk_txn txn;
    struct disk_cursor cursor;
    put_keys(env, (const uint64_t[]){7, 300, 5}, 3);
    assert_true(disk_txn_read(&txn, env, &fault));
    assert_true(disk_cursor_open(&cursor, &txn, DISK_TABLE_VECTOR, &fault));
    assert_int_equal(disk_cursor_seek(&cursor, 7, &fault), DISK_GOT_ONE);
    assert_int_equal(cursor.key, 7);
    assert_int_equal(disk_cursor_seek(&cursor, 8, &fault), DISK_GOT_ONE);
    assert_int_equal(cursor.key, 300);
    assert_int_equal(disk_cursor_seek(&cursor, 301, &fault), DISK_GOT_NONE);
    assert_int_equal(disk_cursor_before(&cursor, 300, &fault), DISK_GOT_ONE);
    assert_int_equal(cursor.key, 7);
    assert_int_equal(disk_cursor_before(&cursor, 1000, &fault), DISK_GOT_ONE);
    assert_int_equal(cursor.key, 300);
    assert_int_equal(disk_cursor_before(&cursor, 5, &fault), DISK_GOT_NONE);
    disk_cursor_close(&cursor);
    disk_txn_abort(&txn);
}

static void cursor_finds_nothing_in_an_empty_table(void **state)
{
    struct disk_env *env = &((struct fixture *)*state)->store->env;
    struct proto_fault fault;
    struct disk_txn txn;
    struct disk_cursor cursor;
    assert_true(disk_txn_read(&txn, env, &fault));
    assert_true(disk_cursor_open(&cursor, &txn, DISK_TABLE_VECTOR, &fault));
    assert_int_equal(disk_cursor_next(&cursor, &fault), DISK_GOT_NONE);
    assert_int_equal(disk_cursor_seek(&cursor, 0, &fault), DISK_GOT_NONE);
    assert_int_equal(disk_cursor_before(&cursor, 9, &fault), DISK_GOT_NONE);
    disk_cursor_close(&cursor);
    disk_txn_abort(&txn);
}

static void what_contradicts_the_table_is_put_aside(void **state)
{
    struct disk_env *env = &((struct fixture *)*state)->store->env;
    struct proto_fault fault = {.code = PROTO_OK};
    struct disk_txn txn;
    put_keys(env, (const uint64_t[]){7}, 1);
    for (enum disk_put how = DISK_PUT_LAST; how <= DISK_PUT_NEW; how++) {
        assert_true(disk_txn_write(&txn, env, &fault));
        uint8_t *at = disk_txn_put(&txn, DISK_TABLE_VECTOR, 7, 8, how, &fault);
        struct proto_span value;
        assert_non_null(at);
        disk_set_u64(at, 70);
        assert_int_equal(disk_txn_get(&txn, DISK_TABLE_VECTOR, 7, &value, &fault), DISK_GOT_ONE);
        assert_int_equal(disk_get_u64(value.data), 70);
        assert_int_equal(txn.state.sums[DISK_TABLE_ASIDE].count, 1);
        disk_txn_abort(&txn);
    }
}

static void resting_snapshot_is_renewed_to_now(void **state)
{
    struct disk_env *env = &((struct fixture *)*state)->store->env;
    struct proto_fault fault;
    struct disk_txn txn;
    struct proto_span value;
    assert_true(disk_txn_open(&txn, env, &fault));
    assert_true(disk_txn_renew(&txn, &fault));
    put_keys(env, (const uint64_t[]){7}, 1);
    assert_int_equal(disk_txn_get(&txn, DISK_TABLE_VECTOR, 7, &value, &fault), DISK_GOT_NONE);
    uint64_t before = disk_txn_number(&txn);
    disk_txn_rest(&txn);
    assert_true(disk_txn_renew(&txn, &fault));
    assert_int_equal(disk_txn_number(&txn), before + 1);
    assert_int_equal(txn.state.txn, before + 1);
    assert_int_equal(disk_txn_get(&txn, DISK_TABLE_VECTOR, 7, &value, &fault), DISK_GOT_ONE);
    disk_txn_abort(&txn);
}

static void values_put(struct disk_env *env, uint64_t first, uint64_t count)
{
    enum { VALUE_BYTES = 1000 };
    struct disk_txn txn;
    struct proto_fault fault;
    assert_true(disk_txn_write(&txn, env, &fault));
    for (uint64_t key = first; key < first + count; key++) {
        uint8_t *at = disk_txn_put(&txn, DISK_TABLE_VECTOR, key, VALUE_BYTES, DISK_PUT_ANY, &fault);
        assert_non_null(at);
        memset(at, (int)key & 0xff, VALUE_BYTES);
    }
    assert_true(disk_txn_commit(&txn, &fault));
}

/* A table of 3 MB is written in one piece, and then one value at a time: a leaf, the pages above
 * it, those of LMDB's list of free pages, and the meta page; not what lies beside them in the
 * cache. */
static void a_small_commit_writes_its_own_pages_alone(void **state)
{
    enum { COMMITS = 60, PAGES = 20, FILE_BYTES = 64 << 20 };
    struct disk_env env;
    struct proto_fault fault;
    char name[64];
    (void)state;
    snprintf(name, sizeof name, "/tmp/icpd-disk-%d", (int)getpid());
    assert_true(disk_file_make(name, 0, &fault));
    assert_true(disk_env_open_file(&env, name, FILE_BYTES, &fault));
    disk_env_stretch(&env, 0);
    values_put(&env, 1, 3000);
    uint64_t before = thread_written_bytes();
    for (uint64_t i = 0; i < COMMITS; i++) {
        values_put(&env, 1 + i * 7919 % 3000, 1);
    }
    assert_in_range(thread_written_bytes() - before, 0, COMMITS * PAGES * DISK_PAGE_BYTES);
    disk_env_close(&env);
    assert_int_equal(unlink(name), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, open_store, close_store)
        WITH_STORE(cursor_walks_in_the_order_of_keys),
        WITH_STORE(cursor_finds_the_neighbours_of_a_key),
        WITH_STORE(cursor_finds_nothing_in_an_empty_table),
        WITH_STORE(what_contradicts_the_table_is_put_aside),
        cmocka_unit_test(a_small_commit_writes_its_own_pages_alone),
        WITH_STORE(resting_snapshot_is_renewed_to_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
