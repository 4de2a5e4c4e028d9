/* SPDX-License-Identifier: Apache-2.0 */
/* Tables at their limit: what adds is refused and named, deletions are taken, and what they free is
 * filled again; the limit is raised under open views; nothing acknowledged is lost on the way. */
#include "tests/unit/store/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    BATCH = 50,
    BATCHES_MOST = 1000,
    LIMIT_BYTES = 8 << 20,
    TRIES = 2000, /* of a millisecond */
};

static int setup(void **state)
{
    struct fixture *fixture = malloc(sizeof *fixture);
    assert_non_null(fixture);
    fixture_init(fixture);
    fixture->options.map_bytes_max = LIMIT_BYTES;
    fixture->options.log_bytes_max = (size_t)1 << 20;
    fixture->options.fold_bytes = (size_t)1 << 20;
    fixture->options.overlay_bytes_max = (size_t)6 << 20;
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    fixture_fini(*state);
    free(*state);
    return 0;
}

static struct store_batch *batch_of(int batch, bool remove)
{
    static char text[900];
    struct proto_fault fault;
    struct made made;
    char id[16];
    struct store_batch *made_batch = store_batch_create();
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < BATCH; i++) {
        snprintf(id, sizeof id, "b%dn%d", batch, i);
        make_record(&made, id, NULL, i, text);
        assert_true(remove ? store_batch_delete(made_batch, span(id), &fault)
                           : store_batch_put(made_batch, made_span(&made), &fault));
    }
    return made_batch;
}

/* Submits; where the folder has not caught up, again. */
static bool submit(struct fixture *fixture, int batch, bool remove, struct store_result *result)
{
    for (int i = 0; i < TRIES; i++) {
        if (store_submit_wait(fixture->store, batch_of(batch, remove), result)) {
            return true;
        }
        if (result->fault.code != PROTO_BUSY) {
            return false;
        }
        usleep(1000);
    }
    fail_msg("the folder never caught up");
    return false;
}

static void all_folded(struct fixture *fixture)
{
    struct proto_fault fault;
    store_view_rest(fixture->view);
    assert_true(store_fold_wait(fixture->store, &fault));
    usleep(2000); /* generations are let go of */
}

/* Puts from batch `next` on until it is refused for good; returns the first that was not put. */
static int fill(struct fixture *fixture, int next)
{
    struct store_result result;
    for (; next < BATCHES_MOST; next++) {
        if (submit(fixture, next, false, &result)) {
            continue;
        }
        assert_int_equal(result.fault.code, PROTO_DISK_FULL);
        assert_non_null(strstr(result.fault.message, "map_bytes"));
        assert_non_null(strstr(result.fault.message, "delete accounts"));
        all_folded(fixture); /* what waited to be folded may have been taken for more than it was */
        if (!submit(fixture, next, false, &result)) {
            return next;
        }
    }
    fail_msg("the tables were never full");
    return 0;
}

static void check(struct fixture *fixture, int from, int to)
{
    char id[16];
    for (int batch = from; batch < to; batch++) {
        snprintf(id, sizeof id, "b%dn%d", batch, batch % BATCH);
        assert_true(number_of(fixture, id) == batch % BATCH);
    }
    snprintf(id, sizeof id, "b%dn0", to);
    assert_int_equal(find_id(fixture, id), STORE_NO_SLOT);
    assert_int_equal(store_view_accounts(viewed(fixture)), (to - from) * BATCH);
}

static void full_tables_take_deletions_and_are_filled_again(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    int from = 0;
    int next = fill(fixture, 0);
    int first = next;
    assert_in_range(first * BATCH, 3000, 12000);
    check(fixture, from, next);
    for (int round = 0; round < 3; round++) {
        for (int left = (next - from) / 2; left > 0; left--) {
            assert_true(submit(fixture, from++, true, &result));
        }
        all_folded(fixture);
        next = fill(fixture, next);
        check(fixture, from, next);
        assert_true(next - from >= first * 3 / 4); /* slots and buckets keep a little */
    }
    must_be_sound(fixture);
    fixture_close(fixture);
    fixture_open(fixture);
    check(fixture, from, next);
    must_be_sound(fixture);
}

static void full_tables_take_no_document(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    static const enum store_document_kind kinds[] = {STORE_DOCUMENT_ICP, STORE_DOCUMENT_TAL,
                                                     STORE_DOCUMENT_TERM, STORE_DOCUMENT_METRIC,
                                                     STORE_DOCUMENT_CHALLENGE};
    (void)fill(fixture, 0);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct proto_fault fault;
        struct store_batch *batch = store_batch_create();
        const struct store_document document = {
            .kind = kinds[i], .number = kinds[i] == STORE_DOCUMENT_ICP ? 0 : 1, .text = span("{}")};
        assert_true(store_batch_document(batch, &document, &fault));
        assert_false(store_submit_wait(fixture->store, batch, &result));
        assert_int_equal(result.fault.code, PROTO_DISK_FULL);
    }
}

static void the_limit_is_raised_under_open_views(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_fault fault;
    struct proto_span record;
    int next = fill(fixture, 0);
    struct store_view *old = store_view_open(fixture->store, &fault);
    assert_non_null(old);
    uint32_t slot = store_find_id(old, span("b1n1"), &fault);
    assert_true(store_record(old, slot, &record, &fault));
    uint8_t before[64];
    memcpy(before, record.data, sizeof before);
    assert_int_equal(store_map_bytes_set(fixture->store, (size_t)4 * LIMIT_BYTES),
                     (size_t)4 * LIMIT_BYTES);
    for (int batch = next; batch < 2 * next; batch++) {
        if (!submit(fixture, batch, false, &result)) {
            fail_msg("%s", result.fault.message);
        }
    }
    /* The view still reads what it read, where it lay. */
    assert_memory_equal(record.data, before, sizeof before);
    assert_int_equal(store_view_accounts(old), next * BATCH);
    store_view_close(old);
    check(fixture, 0, 2 * next);
    all_folded(fixture);
    assert_true(disk_env_pages(&fixture->store->env) * DISK_PAGE_BYTES > LIMIT_BYTES);
    /* No further than the addresses reach, and down again at once. */
    assert_true(store_map_bytes_set(fixture->store, SIZE_MAX) < SIZE_MAX);
    assert_int_equal(store_map_bytes_set(fixture->store, LIMIT_BYTES), LIMIT_BYTES);
    assert_false(submit(fixture, 2 * next, false, &result));
    assert_int_equal(result.fault.code, PROTO_DISK_FULL);
    must_be_sound(fixture);
}

/* What an empty generation takes is nothing that the tables will hold. */
static void room_is_counted_by_pages_in_use(void **state)
{
    (void)state;
    struct store_room room = {.range = store_room_range((size_t)1 << 30)};
    struct proto_fault fault;
    size_t kept = store_room_kept_back((size_t)1 << 30);
    atomic_store(&room.limit, (size_t)1 << 30);
    assert_int_equal(kept, (size_t)16 << 20);
    assert_int_equal(store_room_left(&room, 0), ((size_t)1 << 30) - kept);
    atomic_store(&room.used, (size_t)1 << 29);
    assert_int_equal(store_room_left(&room, (size_t)1 << 28), ((size_t)1 << 28) - kept);
    assert_true(store_room_admits(&room, (size_t)1 << 28, &fault));
    assert_false(store_room_admits(&room, (size_t)1 << 29, &fault));
    assert_int_equal(fault.code, PROTO_DISK_FULL);
    assert_int_equal(store_room_range((size_t)1 << 30), (size_t)256 << 30);
    assert_int_equal(store_room_range((size_t)1 << 40), (size_t)4 << 40);
    assert_int_equal(store_room_range((size_t)1 << 44), (size_t)1 << 45);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(room_is_counted_by_pages_in_use),
        cmocka_unit_test_setup_teardown(full_tables_take_deletions_and_are_filled_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(full_tables_take_no_document, setup, teardown),
        cmocka_unit_test_setup_teardown(the_limit_is_raised_under_open_views, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
