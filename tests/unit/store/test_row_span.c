/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of neighbouring slots: the same as rows one by one, and damage found row by row. */
#include "tests/unit/store/store_fixture.h"

#include <stdio.h>

enum { ACCOUNTS = 150, DELETED = 70, DAMAGED = 100, DIGEST = 7 };

static uint8_t salt = 0xA7;

static void fill(struct fixture *fixture)
{
    struct store_result result;
    char id[16];
    struct store_encoder encoder = fixture_encoder(DIGEST, 40, &salt);
    store_set_encoder(fixture->store, &encoder);
    for (int i = 0; i < ACCOUNTS; i++) {
        snprintf(id, sizeof id, "a%d", i);
        assert_true(put_one(fixture, id, NULL, i, &result));
    }
    snprintf(id, sizeof id, "a%d", DELETED);
    assert_true(delete_one(fixture, id, &result));
    settle(fixture, DIGEST);
}

/* Walks all slots from `first`; returns how many rows were damaged. */
static unsigned walk(struct fixture *fixture, uint32_t first)
{
    struct store_view *view = viewed(fixture);
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_rows rows;
    unsigned damaged = 0;
    uint32_t slot = first;
    while (store_rows(view, slot, &rows, &fault)) {
        assert_int_equal(rows.slot, slot);
        assert_in_range(rows.count, 1, STORE_ROWS_MAX);
        assert_int_equal(rows.living & rows.damaged, 0);
        for (unsigned i = 0; i < rows.count; i++) {
            struct proto_fault one = {.code = PROTO_OK};
            const uint8_t *codes = store_row(view, slot + i, &one);
            assert_int_equal(rows.damaged >> i & 1, one.code == PROTO_CORRUPT);
            assert_int_equal(rows.living >> i & 1, codes != NULL);
            if (codes != NULL) {
                assert_memory_equal(codes, rows.codes + i * rows.stride, 40);
            }
            damaged += (rows.damaged >> i & 1) != 0;
        }
        slot += rows.count;
    }
    assert_int_equal(fault.code, PROTO_OK);
    assert_int_equal(slot, ACCOUNTS);
    return damaged;
}

static void spans_hold_what_rows_hold(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault;
    fill(fixture);
    for (uint32_t first = 0; first < ACCOUNTS; first += 13) {
        assert_int_equal(walk(fixture, first), 0);
    }
    assert_true(store_fold_wait(fixture->store, &fault));
    for (uint32_t first = 0; first < ACCOUNTS; first += 13) {
        assert_int_equal(walk(fixture, first), 0);
    }
    must_be_sound(fixture);
}

static void file_flip(const struct fixture *fixture, const uint8_t *pattern, size_t bytes)
{
    static uint8_t file[8 << 20];
    char path[128];
    snprintf(path, sizeof path, "%s/data.mdb", fixture->path);
    FILE *data = fopen(path, "r+b");
    assert_non_null(data);
    size_t count = fread(file, 1, sizeof file, data);
    unsigned flipped = 0;
    for (size_t at = 0; at + bytes < count; at++) {
        if (memcmp(file + at, pattern, bytes) == 0) {
            file[at + bytes + 5] ^= 1; /* in the padding of the row */
            flipped++;
        }
    }
    assert_true(flipped > 0);
    rewind(data);
    assert_int_equal(fwrite(file, 1, count, data), count);
    assert_int_equal(fclose(data), 0);
}

static void a_damaged_row_is_marked_and_its_neighbours_serve(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    fixture_close(fixture);
    const uint8_t codes[] = {DAMAGED, 'S', salt};
    file_flip(fixture, codes, sizeof codes);
    fixture_open(fixture);
    assert_int_equal(walk(fixture, 0), 1);
    assert_int_equal(walk(fixture, DAMAGED - 10), 1);
    assert_int_equal(walk(fixture, DAMAGED + 1), 0);
}

static void without_rows_there_is_no_span(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct store_rows rows;
    struct proto_fault fault = {.code = PROTO_OK};
    assert_true(put_one(fixture, "a", NULL, 1, &result));
    assert_false(store_rows(viewed(fixture), 0, &rows, &fault));
    assert_int_equal(fault.code, PROTO_OK);
}

static int open_fixture(void **state)
{
    static struct fixture fixture;
    fixture_init(&fixture);
    fixture_open(&fixture);
    *state = &fixture;
    return 0;
}

static int close_fixture(void **state)
{
    fixture_fini(*state);
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
    const struct CMUnitTest tests[] = {
        TEST(spans_hold_what_rows_hold),
        TEST(a_damaged_row_is_marked_and_its_neighbours_serve),
        TEST(without_rows_there_is_no_span),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
