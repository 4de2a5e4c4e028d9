/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    READERS = 3,
    ACCOUNTS = 2000,
    ROUNDS = 150,
    SMOKE = 200000 / TEST_SHORTER,
    SMOKE_BATCH = 5000
};

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

static void a_view_keeps_its_snapshot_until_it_is_refreshed(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_fault fault = {.code = PROTO_OK};
    uint8_t salt = 1;
    struct store_encoder encoder = fixture_encoder(5, 40, &salt);
    assert_true(put_one(fixture, "old", "crm:1", 1, &result));
    store_set_encoder(fixture->store, &encoder);
    settle(fixture, 5);
    struct store_view *view = viewed(fixture);
    /* The index runs ahead of the view: a deleted id, a key that moves, a new id. */
    assert_true(delete_one(fixture, "old", &result));
    assert_true(put_one(fixture, "new", "crm:1", 2, &result));
    struct proto_span ids[] = {span("old"), span("new"), span("never"), span("")};
    uint32_t slots[4];
    const uint8_t *rows[4];
    store_find_many(view, ids, 4, slots, rows);
    assert_int_equal(slots[0], 0);
    assert_non_null(rows[0]);
    assert_int_equal(rows[0][0], 1);
    for (int i = 1; i < 4; i++) {
        assert_int_equal(slots[i], STORE_NO_SLOT);
        assert_null(rows[i]);
    }
    assert_int_equal(store_find_id(view, span("old"), &fault), 0);
    assert_int_equal(store_find_id(view, span("new"), &fault), STORE_NO_SLOT);
    assert_int_equal(store_find_key(view, span("crm:1"), &fault), 0);
    assert_int_equal(store_view_slots(view), 1);
    viewed(fixture);
    store_find_many(view, ids, 4, slots, rows);
    assert_int_equal(slots[0], STORE_NO_SLOT);
    assert_null(rows[0]);
    assert_int_equal(slots[1], 1);
    assert_int_equal(rows[1][0], 2);
    assert_int_equal(store_find_key(view, span("crm:1"), &fault), 1);
}

/* Changes of the index that no commit made, told by the only thread that may: the writer's, while
 * it commits. */
struct lies {
    struct store *store;
    const struct store_id_edit *edits;
    _Atomic size_t count; /* set last: the writer looks at any time, also of itself */
};

static void lie(void *context, const struct store_commit *commit)
{
    struct lies *lies = context;
    size_t count = lies->count;
    if (commit->phase == STORE_COMMIT_DONE && count > 0) {
        assert_true(store_index_change(&lies->store->index, lies->edits, count, commit->seq + 1));
        lies->count = 0;
    }
}

static void open_with_lies(struct fixture *fixture, struct lies *lies)
{
    fixture_close(fixture);
    fixture->options.on_commit = lie;
    fixture->options.commit_context = lies;
    fixture_open(fixture);
    lies->store = fixture->store;
}

/* The index may hold anything while it changes: a row must prove that it is of the id that was
 * asked. */
static void an_index_that_misleads_is_found_out(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_fault fault = {.code = PROTO_OK};
    static struct lies lies; /* teardown closes the store: its writer tells until then */
    uint8_t salt = 1;
    struct store_encoder encoder = fixture_encoder(5, 40, &salt);
    open_with_lies(fixture, &lies);
    assert_true(put_one(fixture, "a", "crm:a", 1, &result));
    assert_true(put_one(fixture, "b", "crm:b", 2, &result));
    store_set_encoder(fixture->store, &encoder);
    settle(fixture, 5);
    struct store_view *view = viewed(fixture);
    const struct store_hasher *hasher = &fixture->store->hasher;
    uint64_t id_a = store_hash_text(hasher, STORE_KIND_ID, span("a"));
    uint64_t id_b = store_hash_text(hasher, STORE_KIND_ID, span("b"));
    uint64_t id_c = store_hash_text(hasher, STORE_KIND_ID, span("c"));
    uint64_t key_a = store_hash_text(hasher, STORE_KIND_KEY, span("crm:a"));
    const struct store_id_edit edits[] = {
        {.hash = id_a, .ref = 0},  {.hash = id_a, .ref = 1, .add = true},
        {.hash = id_b, .ref = 1},  {.hash = id_c, .ref = 7, .add = true},
        {.hash = key_a, .ref = 0}, {.hash = key_a, .ref = 1, .add = true}};
    lies.edits = edits;
    lies.count = 6;
    assert_true(put_one(fixture, "z", NULL, 3, &result));
    struct proto_span ids[] = {span("a"), span("b"), span("c")};
    uint32_t slots[3];
    const uint8_t *rows[3];
    store_find_many(view, ids, 3, slots, rows);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(slots[i], i);
        assert_int_equal(rows[i][0], i + 1);
    }
    assert_int_equal(slots[2], STORE_NO_SLOT);
    assert_int_equal(store_find_key(view, span("crm:a"), &fault), 0);
    /* The control: an index that claims to be exact is believed. */
    atomic_store(&fixture->store->index.stable, store_view_seq(view));
    assert_int_equal(store_find_key(view, span("crm:a"), &fault), 1);
}

/* A view of an empty store is at sequence 0, and must not take an index that changes for exact. */
static void an_index_that_changes_is_not_that_of_an_empty_store(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_fault fault = {.code = PROTO_OK};
    settle(fixture, 0);
    struct store_view *view = viewed(fixture);
    assert_int_equal(store_view_seq(view), 0);
    assert_true(put_one(fixture, "a", NULL, 1, &result));
    atomic_store(&fixture->store->index.stable, STORE_INDEX_CHANGES);
    assert_int_equal(store_find_id(view, span("a"), &fault), STORE_NO_SLOT);
    /* The control. */
    atomic_store(&fixture->store->index.stable, 0);
    assert_int_equal(store_find_id(view, span("a"), &fault), 0);
    atomic_store(&fixture->store->index.stable, result.seq);
}

static void a_view_at_rest_pins_nothing_and_wakes_to_the_newest(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    assert_true(put_one(fixture, "a", NULL, 1, &result));
    assert_true(number_of(fixture, "a") == 1);
    store_view_rest(fixture->view);
    store_view_rest(fixture->view);
    assert_true(put_one(fixture, "a", NULL, 2, &result));
    assert_true(number_of(fixture, "a") == 2);
}

static void no_more_views_than_stated_can_be_opened(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_view *views[64];
    size_t count = 0;
    fixture_close(fixture);
    fixture->options.readers_max = 8;
    fixture_open(fixture);
    while (count < 64 && (views[count] = store_view_open(fixture->store, &fault)) != NULL) {
        count++;
    }
    assert_int_equal(fault.code, PROTO_LIMIT);
    assert_int_equal(count, 7); /* beside the fixture's own */
    for (size_t i = 0; i < count; i++) {
        store_view_close(views[i]);
    }
}

static void slots_that_are_not_there_are_not_found(void **state)
{
    struct fixture *fixture = *state;
    struct proto_span record;
    struct proto_fault fault = {.code = PROTO_OK};
    assert_false(store_record(viewed(fixture), 0, &record, &fault));
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    assert_false(store_record(fixture->view, STORE_NO_SLOT, &record, &fault));
    fault.code = PROTO_OK;
    assert_null(store_row(fixture->view, STORE_NO_SLOT, &fault));
    assert_int_equal(fault.code, PROTO_OK);
}

/* Writers rewrite accounts so that all numbers of one batch are the same; readers must never see
 * two numbers in one snapshot, a row that is not its record's, or less than what was acknowledged.
 */
struct shared {
    struct fixture *fixture;
    _Atomic uint64_t acknowledged; /* seq */
    _Atomic bool stop;
    _Atomic uint64_t looked;
};

static void id_text(char text[16], int i)
{
    snprintf(text, 16, "t%d", i);
}

static void read_once(struct shared *shared, struct store_view *view, unsigned seed)
{
    struct proto_fault fault = {.code = PROTO_OK};
    char texts[32][16];
    struct proto_span ids[32];
    uint32_t slots[32];
    const uint8_t *rows[32];
    uint64_t acknowledged = atomic_load(&shared->acknowledged);
    if (!store_view_refresh(view, &fault)) {
        abort();
    }
    if (store_view_seq(view) < acknowledged) {
        abort();
    }
    for (int i = 0; i < 32; i++) {
        id_text(texts[i], (int)((seed * 31 + (unsigned)i * 61) % ACCOUNTS));
        ids[i] = span(texts[i]);
    }
    store_find_many(view, ids, 32, slots, rows);
    int number = -1;
    for (int i = 0; i < 32; i++) {
        struct proto_span bytes;
        struct feature_record record;
        struct feature_value values[2];
        if (slots[i] == STORE_NO_SLOT) {
            continue;
        }
        if (slots[i] >= store_view_slots(view) || !store_record(view, slots[i], &bytes, &fault) ||
            !feature_record_open(bytes, true, &record, &fault) ||
            !proto_span_equal(record.id, ids[i])) {
            abort();
        }
        feature_record_values(&record, values, 2);
        if (rows[i] != NULL && rows[i][0] != (uint8_t)values[0].number) {
            abort();
        }
        if (number >= 0 && number != (int)values[0].number) {
            abort();
        }
        number = (int)values[0].number;
        if (store_find_key(view, ids[i], &fault) != slots[i] || fault.code != PROTO_OK) {
            abort();
        }
        atomic_fetch_add_explicit(&shared->looked, 1, memory_order_relaxed);
    }
}

static void *read_until_stopped(void *context)
{
    struct shared *shared = context;
    struct proto_fault fault;
    struct store_view *view = store_view_open(shared->fixture->store, &fault);
    if (view == NULL) {
        abort();
    }
    for (unsigned seed = 1; !atomic_load(&shared->stop); seed++) {
        read_once(shared, view, seed);
        if (seed % 64 == 0) {
            store_view_rest(view);
        }
    }
    store_view_close(view);
    return NULL;
}

/* All accounts of the store in one batch, with the number of the round. */
static struct store_batch *round_batch(int round, int accounts)
{
    struct proto_fault fault;
    struct store_batch *batch = store_batch_create();
    for (int i = 0; i < accounts; i++) {
        struct made made;
        char text[16];
        id_text(text, i);
        const char *keys[] = {text, NULL};
        make_record(&made, text, keys, round % 200, "x");
        if (!store_batch_put(batch, made_span(&made), &fault)) {
            abort();
        }
    }
    return batch;
}

static void readers_see_whole_commits_while_all_grows_under_them(void **state)
{
    struct fixture *fixture = *state;
    struct shared shared = {.fixture = fixture};
    pthread_t threads[READERS];
    uint8_t salt = 1;
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, read_until_stopped, &shared), 0);
    }
    for (int round = 0; round < ROUNDS; round++) {
        struct store_result result;
        /* The number of accounts grows, and with it the index; now and then the codebook changes.
         */
        int accounts = (round + 1) * ACCOUNTS / ROUNDS;
        if (round % 25 == 0) {
            struct store_encoder encoder = fixture_encoder((uint64_t)round / 25 + 1, 40, &salt);
            store_set_encoder(fixture->store, &encoder);
        }
        assert_true(store_submit_wait(fixture->store, round_batch(round, accounts), &result));
        atomic_store(&shared.acknowledged, result.seq);
    }
    while (atomic_load(&shared.looked) < 1000) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    atomic_store(&shared.stop, true);
    for (int i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
    }
    settle(fixture, (ROUNDS - 1) / 25 + 1);
}

static void two_hundred_thousand_accounts_are_found_by_id_and_key(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    uint8_t salt = 4;
    struct store_encoder encoder = fixture_encoder(5, 40, &salt);
    store_set_encoder(fixture->store, &encoder);
    for (int first = 0; first < SMOKE; first += SMOKE_BATCH) {
        struct store_result result;
        struct store_batch *batch = store_batch_create();
        for (int i = first; i < first + SMOKE_BATCH; i++) {
            struct made made;
            char text[16];
            id_text(text, i);
            const char *keys[] = {text, NULL};
            make_record(&made, text, keys, i % 200, "x");
            assert_true(store_batch_put(batch, made_span(&made), &fault));
        }
        assert_true(store_submit_wait(fixture->store, batch, &result));
        assert_int_equal(result.created, SMOKE_BATCH);
    }
    for (int round = 0; round < 2; round++) {
        settle(fixture, 5);
        for (int i = 0; i < SMOKE; i++) {
            char text[16];
            id_text(text, i);
            struct proto_span id = span(text);
            uint32_t slot;
            const uint8_t *row;
            store_find_many(fixture->view, &id, 1, &slot, &row);
            if (slot != (uint32_t)i || row == NULL || row[0] != i % 200 || row[2] != 4) {
                fail_msg("account %d is not what was put", i);
            }
            if (store_find_key(fixture->view, id, &fault) != (uint32_t)i) {
                fail_msg("key of account %d is not found", i);
            }
        }
        fixture_close(fixture);
        fixture_open(fixture);
        store_set_encoder(fixture->store, &encoder);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_view_keeps_its_snapshot_until_it_is_refreshed),
        T(an_index_that_misleads_is_found_out),
        T(an_index_that_changes_is_not_that_of_an_empty_store),
        T(a_view_at_rest_pins_nothing_and_wakes_to_the_newest),
        T(no_more_views_than_stated_can_be_opened),
        T(slots_that_are_not_there_are_not_found),
        T(readers_see_whole_commits_while_all_grows_under_them),
        T(two_hundred_thousand_accounts_are_found_by_id_and_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
