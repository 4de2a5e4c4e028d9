/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

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
    must_be_sound(*state);
    fixture_fini(*state);
    return 0;
}

static const char *name_of(int i)
{
    static char name[16];
    snprintf(name, sizeof name, "n%d", i);
    return name;
}

static void put_range(struct fixture *fixture, int first, int end, int more)
{
    struct store_result result;
    struct proto_fault fault;
    struct store_batch *batch = store_batch_create();
    for (int i = first; i < end; i++) {
        struct made made;
        make_record(&made, name_of(i), NULL, (i + more) % 200, "Soft");
        assert_true(store_batch_put(batch, made_span(&made), &fault));
    }
    assert_true(store_submit_wait(fixture->store, batch, &result));
}

static void set_encoder(struct fixture *fixture, uint64_t digest, size_t code_bytes, uint8_t *salt)
{
    struct store_encoder encoder = fixture_encoder(digest, code_bytes, salt);
    store_set_encoder(fixture->store, &encoder);
}

static void rows_are(struct fixture *fixture, int first, int end, int more, uint8_t salt)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_view *view = viewed(fixture);
    for (int i = first; i < end; i++) {
        uint32_t slot;
        const uint8_t *row;
        struct proto_span id = span(name_of(i));
        const uint8_t *codes = store_row(view, (uint32_t)i, &fault);
        assert_non_null(codes);
        assert_int_equal((uintptr_t)codes % 64, STORE_ROW_HEADER_BYTES);
        assert_int_equal(codes[0], (i + more) % 200);
        assert_int_equal(codes[1], 'S');
        assert_int_equal(codes[2], salt);
        store_find_many(view, &id, 1, &slot, &row);
        assert_int_equal(slot, i);
        assert_ptr_equal(row, codes);
    }
    assert_int_equal(fault.code, PROTO_OK);
}

static void without_an_encoder_there_are_no_rows(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    put_range(fixture, 0, 10, 0);
    assert_int_equal(store_view_rows_digest(viewed(fixture)), 0);
    assert_int_equal(store_view_rows_slots(fixture->view), 0);
    assert_null(store_row(fixture->view, 3, &fault));
    assert_int_equal(fault.code, PROTO_OK);
}

static void rows_of_stored_and_of_new_accounts_are_encoded(void **state)
{
    struct fixture *fixture = *state;
    uint8_t salt = 7;
    put_range(fixture, 0, 500, 0);
    set_encoder(fixture, 11, 40, &salt);
    settle(fixture, 11);
    rows_are(fixture, 0, 500, 0, 7);
    put_range(fixture, 500, 777, 0);
    rows_are(fixture, 0, 777, 0, 7);
    assert_int_equal(store_view_rows_slots(fixture->view), 777);
    put_range(fixture, 100, 300, 50);
    rows_are(fixture, 0, 100, 0, 7);
    rows_are(fixture, 100, 300, 50, 7);
    rows_are(fixture, 300, 777, 0, 7);
}

static void a_deleted_account_has_no_row(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_fault fault = {.code = PROTO_OK};
    uint8_t salt = 7;
    set_encoder(fixture, 11, 40, &salt);
    put_range(fixture, 0, 100, 0);
    settle(fixture, 11);
    rows_are(fixture, 0, 100, 0, 7);
    assert_true(delete_one(fixture, name_of(42), &result));
    assert_null(store_row(viewed(fixture), 42, &fault));
    assert_int_equal(fault.code, PROTO_OK);
    rows_are(fixture, 43, 100, 0, 7);
}

static void another_codebook_replaces_all_rows_and_widens_them(void **state)
{
    struct fixture *fixture = *state;
    uint8_t salts[] = {1, 2, 3};
    put_range(fixture, 0, 1000, 0);
    set_encoder(fixture, 11, 40, &salts[0]);
    settle(fixture, 11);
    rows_are(fixture, 0, 1000, 0, 1);
    set_encoder(fixture, 12, 49, &salts[1]); /* one byte more than fits 64 */
    settle(fixture, 12);
    rows_are(fixture, 0, 1000, 0, 2);
    assert_int_equal(fixture->view->txn.state.row_bytes, 128);
    set_encoder(fixture, 13, PROTO_COLUMNS_MAX, &salts[2]);
    settle(fixture, 13);
    put_range(fixture, 1000, 1100, 0);
    rows_are(fixture, 0, 1100, 0, 3);
    /* The blocks of the old generations go. */
    struct proto_fault fault;
    assert_true(store_fold_wait(fixture->store, &fault));
    for (int i = 0; i < 2000 && viewed(fixture)->txn.state.sums[DISK_TABLE_ROW].count != 18; i++) {
        put_range(fixture, 0, 1, 0);
    }
    assert_int_equal(viewed(fixture)->txn.state.sums[DISK_TABLE_ROW].count, 18);
    set_encoder(fixture, 0, 0, NULL);
    settle(fixture, 0);
    for (int i = 0; i < 2000 && viewed(fixture)->txn.state.sums[DISK_TABLE_ROW].count != 0; i++) {
        put_range(fixture, 0, 1, 0);
    }
    assert_int_equal(viewed(fixture)->txn.state.sums[DISK_TABLE_ROW].count, 0);
}

static void encoding_goes_on_where_it_was_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    uint8_t salt = 9;
    uint8_t other = 10;
    put_range(fixture, 0, 1000, 0);
    set_encoder(fixture, 11, 40, &salt);
    settle(fixture, 11);
    fixture_close(fixture);
    fixture_open(fixture);
    /* The rows of the last run are there before the engine says anything. */
    rows_are(fixture, 0, 1000, 0, 9);
    uint32_t generation = fixture->view->txn.state.rows_generation;
    /* What nobody can encode waits in memory and ends the complete rows; nothing stale is served.
     */
    put_range(fixture, 400, 410, 3);
    put_range(fixture, 700, 710, 3);
    assert_int_equal(store_view_rows_slots(viewed(fixture)), 400);
    struct proto_fault fault = {.code = PROTO_OK};
    assert_null(store_row(fixture->view, 400, &fault));
    set_encoder(fixture, 11, 40, &other);
    settle(fixture, 11);
    assert_int_equal(fixture->view->txn.state.rows_generation, generation);
    rows_are(fixture, 0, 400, 0, 9);
    rows_are(fixture, 400, 410, 3, 10);
    rows_are(fixture, 410, 700, 0, 9);
    rows_are(fixture, 700, 710, 3, 10);
    /* Folded without an encoder it pulls the mark back. */
    fixture_close(fixture);
    fixture_open(fixture);
    put_range(fixture, 500, 510, 3);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(store_view_rows_slots(viewed(fixture)), 500);
    set_encoder(fixture, 11, 40, &other);
    settle(fixture, 11);
    assert_int_equal(fixture->view->txn.state.rows_generation, generation);
    rows_are(fixture, 410, 500, 0, 9);
    rows_are(fixture, 500, 510, 3, 10);
    rows_are(fixture, 510, 700, 0, 10);
}

static void writes_while_rows_are_encoded_are_in_the_rows(void **state)
{
    struct fixture *fixture = *state;
    uint8_t salts[] = {1, 2};
    for (int i = 0; i < 20; i++) {
        put_range(fixture, i * 1000, i * 1000 + 1000, 0);
    }
    for (int round = 0; round < 2; round++) {
        set_encoder(fixture, 20 + (uint64_t)round, 40, &salts[round]);
        for (int i = 0; i < 40; i++) {
            put_range(fixture, i * 500, i * 500 + 10, 1);
        }
        settle(fixture, 20 + (uint64_t)round);
        for (int i = 0; i < 40; i++) {
            rows_are(fixture, i * 500, i * 500 + 10, 1, salts[round]);
            rows_are(fixture, i * 500 + 10, i * 500 + 500, 0, salts[round]);
        }
    }
}

static void encode_padded(void *context, const struct feature_value *values, size_t slots,
                          uint8_t *codes)
{
    (void)context;
    (void)slots;
    memset(codes, 9, 64);
    codes[0] = (uint8_t)values[0].number;
    codes[1] = 'S';
}

static void an_encoder_may_write_more_than_is_kept(void **state)
{
    struct fixture *fixture = *state;
    struct store_encoder encoder = fixture_encoder(5, 40, NULL);
    encoder.encode_bytes = 64;
    encoder.encode = encode_padded;
    store_set_encoder(fixture->store, &encoder);
    put_range(fixture, 0, 100, 0);
    settle(fixture, 5);
    rows_are(fixture, 0, 100, 0, 9);
    assert_int_equal(fixture->view->txn.state.row_bytes, 64);
    struct proto_fault fault;
    assert_int_equal(store_row(fixture->view, 7, &fault)[40], 0); /* padding, not codes */
}

static void count_release(void *context)
{
    ++*(int *)context;
}

static void an_encoder_is_released_once_when_it_is_replaced_or_the_store_closes(void **state)
{
    struct fixture *fixture = *state;
    int released[2] = {0};
    for (int i = 0; i < 2; i++) {
        struct store_encoder encoder = fixture_encoder(5 + (uint64_t)i, 40, NULL);
        encoder.context = &released[i];
        encoder.release = count_release;
        store_set_encoder(fixture->store, &encoder);
        settle(fixture, encoder.digest);
        assert_int_equal(released[0], i);
    }
    fixture_close(fixture);
    assert_int_equal(released[0], 1);
    assert_int_equal(released[1], 1);
    fixture_open(fixture);
}

static void any_flipped_bit_of_a_row_is_noticed(void **state)
{
    (void)state;
    uint8_t row[128];
    for (size_t bytes = 64; bytes <= 128; bytes += 64) {
        memset(row, 0, sizeof row);
        disk_set_u64(row, 12345);
        disk_set_u16(row + 12, STORE_ROW_LIVING | STORE_ROW_WRITTEN);
        row[16] = 200;
        disk_set_u32(row + 8, store_row_check(row, bytes, 77, 999));
        assert_true(store_row_valid(row, bytes, 77, 999)); /* the control */
        assert_false(store_row_valid(row, bytes, 78, 999));
        assert_false(store_row_valid(row, bytes, 77, 998));
        for (size_t bit = 0; bit < bytes * 8; bit++) {
            row[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_false(store_row_valid(row, bytes, 77, 999));
            row[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(without_an_encoder_there_are_no_rows),
        T(rows_of_stored_and_of_new_accounts_are_encoded),
        T(a_deleted_account_has_no_row),
        T(another_codebook_replaces_all_rows_and_widens_them),
        T(encoding_goes_on_where_it_was_after_a_restart),
        T(writes_while_rows_are_encoded_are_in_the_rows),
        T(an_encoder_may_write_more_than_is_kept),
        T(an_encoder_is_released_once_when_it_is_replaced_or_the_store_closes),
        T(any_flipped_bit_of_a_row_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
