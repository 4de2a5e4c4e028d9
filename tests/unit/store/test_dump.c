/* SPDX-License-Identifier: Apache-2.0 */
/* A store read as entries and made again must be the same; a log played again must lead to the
 * same. */
#include "tests/unit/store/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/store/dump.h"

static void documents_put(struct fixture *fixture)
{
    static const char *const ids[] = {"id4", "id1"};
    struct proto_fault fault;
    struct store_result result;
    struct store_batch *batch = store_batch_create();
    assert_true(batch_schema(batch, 1, span("a schema"), &fault));
    assert_true(batch_icp(batch, span("an icp"), true, span("the first"), &fault));
    assert_true(batch_tal(batch, 1, "a list", ids, 2, &fault));
    assert_true(store_submit_wait(fixture->store, batch, &result));
}

static void fill(struct fixture *fixture, int from, int to)
{
    struct store_result result;
    for (int i = from; i < to; i++) {
        char id[32];
        char key[32];
        snprintf(id, sizeof id, "id%d", i);
        snprintf(key, sizeof key, "crm:%d", i);
        fixture->now_ms += 1000;
        assert_true(put_one(fixture, id, key, i, &result));
        if (i % 7 == 3) {
            assert_true(delete_one(fixture, id, &result));
        }
    }
}

struct twist {
    uint64_t at; /* number of the entry that is changed; 0: none */
    bool drop;   /* left out instead */
};

static bool copy(struct store *store, const char *path, struct twist twist,
                 struct proto_fault *fault)
{
    struct store_dump *dump = store_dump_open(store, fault);
    struct store_rebuild *rebuild = store_rebuild_open(path, (size_t)1 << 30, fault);
    struct store_entry entry;
    uint64_t number = 0;
    bool good = rebuild != NULL;
    assert_non_null(dump);
    while (good && store_dump_next(dump, &entry, fault) == DISK_GOT_ONE) {
        uint8_t *changed = malloc(entry.value.bytes);
        assert_non_null(changed);
        memcpy(changed, entry.value.data, entry.value.bytes);
        number++;
        if (number == twist.at && twist.drop) {
            free(changed);
            continue;
        }
        if (number == twist.at) {
            changed[entry.value.bytes - 1] ^= 1;
        }
        entry.value.data = changed;
        good = store_rebuild_put(rebuild, &entry, fault);
        free(changed);
    }
    store_dump_close(dump);
    if (good) {
        return store_rebuild_finish(rebuild, fault);
    }
    store_rebuild_abort(rebuild);
    return false;
}

static void a_store_made_of_its_entries_is_the_same(void **state)
{
    struct fixture one;
    struct fixture two;
    struct proto_fault fault = {.code = PROTO_OK};
    uint8_t salt = 1;
    (void)state;
    fixture_init(&one);
    fixture_init(&two);
    fixture_open(&one);
    struct store_encoder encoder = fixture_encoder(30, 40, &salt);
    store_set_encoder(one.store, &encoder);
    fill(&one, 0, 300);
    documents_put(&one);
    settle(&one, 30);
    uint64_t digest = store_digest(one.store, true);
    assert_true(copy(one.store, two.path, (struct twist){0}, &fault));
    fixture_open(&two);
    must_be_sound(&two);
    assert_int_equal(store_digest(two.store, true), digest);
    assert_int_equal(store_identity(two.store), store_identity(one.store));
    assert_int_equal(store_view_seq(two.view), store_view_seq(viewed(&one)));
    assert_float_equal((float)number_of(&two, "id17"), -1, 0); /* deleted */
    assert_float_equal((float)number_of(&two, "id18"), 18, 0);
    /* And goes on. */
    fill(&two, 300, 310);
    must_be_sound(&two);
    fixture_fini(&two);
    fixture_fini(&one);
}

static void an_entry_that_is_changed_or_missing_is_refused(void **state)
{
    struct fixture one;
    (void)state;
    fixture_init(&one);
    fixture_open(&one);
    fill(&one, 0, 20);
    documents_put(&one);
    struct proto_fault none;
    struct store_dump *dump = store_dump_open(one.store, &none);
    assert_non_null(dump);
    uint64_t entries = store_dump_entries(dump);
    store_dump_close(dump);
    assert_true(entries > 25);
    for (uint64_t at = 1; at <= entries; at += 3) {
        for (int drop = 0; drop < 2; drop++) {
            struct fixture two;
            struct proto_fault fault = {.code = PROTO_OK};
            fixture_init(&two);
            bool made = copy(one.store, two.path, (struct twist){at, drop != 0}, &fault);
            assert_false(made);
            fixture_remove(two.path);
        }
    }
    fixture_fini(&one);
}

static void a_directory_that_holds_a_store_is_not_written_over(void **state)
{
    struct fixture one;
    struct fixture two;
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_result result;
    (void)state;
    fixture_init(&one);
    fixture_init(&two);
    fixture_open(&one);
    fixture_open(&two);
    assert_true(put_one(&two, "theirs", "crm:1", 1, &result));
    fixture_close(&two);
    assert_false(copy(one.store, two.path, (struct twist){0}, &fault));
    assert_int_equal(fault.code, PROTO_CONFLICT);
    fixture_open(&two);
    assert_float_equal((float)number_of(&two, "theirs"), 1, 0);
    fixture_fini(&two);
    fixture_fini(&one);
}

struct player {
    struct fixture *into;
    uint64_t last;
    uint64_t link;
};

static bool play(void *context, const struct store_logged *logged)
{
    struct player *player = context;
    struct store_result result;
    struct store_batch *batch = store_batch_again(logged);
    assert_non_null(batch);
    assert_true(store_submit_wait(player->into->store, batch, &result));
    assert_int_equal(result.seq, logged->seq);
    player->link = store_log_link(logged);
    return logged->seq < player->last;
}

static void batches_played_again_lead_to_the_same(void **state)
{
    struct fixture one;
    struct fixture two;
    struct proto_fault fault = {.code = PROTO_OK};
    (void)state;
    fixture_init(&one);
    fixture_init(&two);
    fixture_open(&one);
    fill(&one, 0, 50);
    assert_true(copy(one.store, two.path, (struct twist){0}, &fault));
    uint64_t seq = store_view_seq(viewed(&one));
    fill(&one, 40, 120);
    documents_put(&one);
    two.now_ms = 1;
    fixture_open(&two);
    struct player player = {&two, UINT64_MAX, 0};
    assert_true(store_log_read(one.store, seq, UINT64_MAX, play, &player, &fault));
    assert_int_equal(store_log_head(one.store, &fault), store_log_head(two.store, &fault));
    assert_int_equal(store_digest(two.store, false), store_digest(one.store, false));
    must_be_sound(&two);
    fixture_fini(&two);
    fixture_fini(&one);
}

static bool never(void *context, const struct store_logged *logged)
{
    (void)context;
    (void)logged;
    return false;
}

static void batches_that_were_dropped_are_said_to_be(void **state)
{
    struct fixture one;
    struct proto_fault fault = {.code = PROTO_OK};
    (void)state;
    fixture_init(&one);
    one.options.log_bytes_max = 4096;
    fixture_open(&one);
    fill(&one, 0, 100);
    for (int i = 0; i < 2; i++) { /* each start begins a segment, and drops whole ones */
        fixture_close(&one);
        fixture_open(&one);
        fill(&one, 0, 1);
    }
    assert_true(store_fold_wait(one.store, &fault));
    assert_false(store_log_read(one.store, 0, UINT64_MAX, never, NULL, &fault));
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    fixture_fini(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_made_of_its_entries_is_the_same),
        cmocka_unit_test(an_entry_that_is_changed_or_missing_is_refused),
        cmocka_unit_test(a_directory_that_holds_a_store_is_not_written_over),
        cmocka_unit_test(batches_played_again_lead_to_the_same),
        cmocka_unit_test(batches_that_were_dropped_are_said_to_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
