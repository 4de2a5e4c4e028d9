/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts of several source records in a damaged store: a source record, the fold, or an entry is
 * spoilt in the tables. What is read is right or refused as damage, never another account's or an
 * older value; what is told meanwhile is taken or refused; accounts that have nothing to do with it
 * go on; the scrub finds it; a repair leaves a sound store in which every value is one that was
 * told. Controls: the same store without damage, a value that is not the right one, and a fold that
 * was given a wrong member under a checksum that is right. */
#include "server/store/repair.h"
#include "tests/unit/store/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

enum seen { RIGHT, TOLD, WRONG };

/* a and b are merged, c and d linked, e is alone; b and d were told later. */
enum { A, B, C, D, E, RECORDS, FOLD_AB = RECORDS, FOLD_CD };
static const char *const names[RECORDS] = {"a", "b", "c", "d", "e"};

static void number_put(struct fixture *fixture, const char *id, double number, bool *taken)
{
    const struct feature_value value = {
        .present = true, .type = FEATURE_NUMBER, .time_ms = fixture->now_ms, .number = number};
    const struct proto_span source = span("crm");
    const struct feature_record record = {
        .id = span(id), .sources = &source, .source_count = 1, .values = &value, .value_slots = 1};
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_result result;
    struct store_batch *batch = store_batch_create();
    fixture->now_ms += 1000;
    assert_true(store_batch_put_record(batch, &record, &fault));
    *taken = store_submit_wait(fixture->store, batch, &result);
    assert_true(*taken || result.fault.code == PROTO_CORRUPT);
}

static bool entry_say(struct fixture *fixture, enum identity_act act, const char *a, const char *b,
                      uint32_t what)
{
    static const struct proto_span no_keys[2] = {{NULL, 0}, {NULL, 0}};
    const struct identity_entry entry = {.act = act,
                                         .what = what,
                                         .ids = {span(a), span(b)},
                                         .author = span("test"),
                                         .reason = span("")};
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_result result;
    struct store_batch *batch = store_batch_create();
    assert_true(store_batch_identity(batch, &entry, no_keys, &fault));
    bool taken = store_submit_wait(fixture->store, batch, &result);
    assert_true(taken || result.fault.code == PROTO_CORRUPT);
    return taken;
}

static struct fixture *company_make(void)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct proto_fault fault = {.code = PROTO_OK};
    assert_non_null(fixture);
    fixture_init(fixture);
    fixture_open(fixture);
    for (int i = 0; i < RECORDS; i++) {
        bool taken;
        number_put(fixture, names[i], i + 1, &taken);
        assert_true(taken);
    }
    assert_true(entry_say(fixture, IDENTITY_MERGE, "a", "b", 0));
    assert_true(entry_say(fixture, IDENTITY_LINK, "c", "d", 0));
    assert_true(store_fold_wait(fixture->store, &fault));
    assert_int_equal(find_id(fixture, "b"), FOLD_AB);
    assert_int_equal(find_id(fixture, "d"), FOLD_CD);
    return fixture;
}

/* The number that an id finds. */
static enum seen look(struct fixture *fixture, const char *id, double expected)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_span bytes;
    struct feature_record record;
    struct feature_value value;
    uint32_t slot = store_find_id(viewed(fixture), span(id), &fault);
    if (fault.code == PROTO_OK && slot == STORE_NO_SLOT) {
        return WRONG;
    }
    if (fault.code != PROTO_OK || !store_record(fixture->view, slot, &bytes, &fault)) {
        return fault.code == PROTO_CORRUPT ? TOLD : WRONG;
    }
    return feature_record_open(bytes, true, &record, &fault) &&
                   feature_record_value(&record, 0, &value) && value.number == expected
               ? RIGHT
               : WRONG;
}

static enum seen source_look(struct fixture *fixture, uint32_t slot)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_source source;
    return store_source(viewed(fixture), slot, &source, &fault) ? RIGHT
           : fault.code == PROTO_CORRUPT                        ? TOLD
                                                                : WRONG;
}

/* Spoils a value in the tables; sealed: and makes its checksum right again. */
static void spoil(struct fixture *fixture, enum disk_table table, uint64_t key, bool sealed)
{
    struct store *store = fixture->store;
    struct disk_txn txn;
    struct proto_fault fault;
    struct proto_span value = {0};
    uint8_t copy[4096];
    assert_true(disk_txn_write(&txn, &store->env, &fault));
    uint64_t number = disk_txn_number(&txn);
    assert_int_equal(disk_txn_get(&txn, table, key, &value, &fault), DISK_GOT_ONE);
    size_t bytes = value.bytes;
    assert_in_range(bytes, 16, sizeof copy);
    memcpy(copy, value.data, bytes);
    if (sealed) { /* the last member is e instead of b */
        disk_set_u32(copy + bytes - sizeof(uint32_t), E);
        disk_set_u64(copy, disk_check(table, key, copy + 8, bytes - 8));
    } else {
        copy[bytes - 1] ^= 1;
    }
    uint8_t *at = disk_txn_put(&txn, table, key, bytes, DISK_PUT_ANY, &fault);
    assert_non_null(at);
    memcpy(at, copy, bytes);
    atomic_store(&store->writing, number);
    assert_true(disk_txn_commit(&txn, &fault));
    atomic_store(&store->tables, number);
    atomic_fetch_add(&store->turn, 1);
}

static void pass_over(void *context, const char *what)
{
    (void)context;
    (void)what;
}

static uint64_t scrub(struct fixture *fixture)
{
    struct proto_fault fault = {.code = PROTO_OK};
    return store_scrub(fixture->store, pass_over, NULL, &fault);
}

static int64_t clock_of(void *context)
{
    return ((struct fixture *)context)->now_ms;
}

static struct store_repaired repair(struct fixture *fixture, bool apply)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_repaired repaired;
    const struct store_repair_options options = {.path = fixture->path,
                                                 .map_bytes = (size_t)1 << 28,
                                                 .apply = apply,
                                                 .now_ms = clock_of,
                                                 .now_context = fixture};
    if (!store_repair(&options, &repaired, &fault)) {
        fail_msg("%s", fault.message);
    }
    return repaired;
}

/* The accounts that the damage is not of. */
static void others_must_be_right(struct fixture *fixture, double e)
{
    assert_int_equal(look(fixture, "c", 4), RIGHT);
    assert_int_equal(look(fixture, "d", 4), RIGHT);
    assert_int_equal(look(fixture, "e", e), RIGHT);
}

/* After a repair: what an id finds is what was told of it, or of the account that it was part of;
 * or it is gone. */
static void told_once(struct fixture *fixture, int record, const double *told, size_t count)
{
    struct proto_fault fault = {.code = PROTO_OK};
    uint32_t slot = store_find_id(viewed(fixture), span(names[record]), &fault);
    assert_int_equal(fault.code, PROTO_OK);
    bool good = slot == STORE_NO_SLOT;
    for (size_t i = 0; i < count && !good; i++) {
        good = look(fixture, names[record], told[i]) == RIGHT;
    }
    assert_true(good);
}

static void repaired_must_be_sound(struct fixture *fixture, const double *ab, size_t count)
{
    fixture_close(fixture);
    assert_false(repair(fixture, false).sound);
    (void)repair(fixture, true);
    assert_true(repair(fixture, false).sound);
    fixture_open(fixture);
    must_be_sound(fixture);
    others_must_be_right(fixture, 50);
    told_once(fixture, A, ab, count);
    told_once(fixture, B, ab, count);
    /* It takes entries again. */
    if (find_id(fixture, "a") != STORE_NO_SLOT) {
        assert_true(entry_say(fixture, IDENTITY_MERGE, "a", "e", 0));
        assert_int_equal(find_id(fixture, "a"), find_id(fixture, "e"));
        must_be_sound(fixture);
    }
}

/* entry: of what the damage is; 0: of an account or a source record. */
static void damaged(enum disk_table table, uint64_t key)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct fixture *fixture = company_make();
    bool taken = false;
    spoil(fixture, table, key, false);
    for (int i = A; i <= B; i++) {
        enum seen seen = look(fixture, names[i], 2);
        assert_int_not_equal(seen, WRONG);
        /* The fold has a record of its own: only damage of that costs the account. */
        assert_int_equal(seen, table == DISK_TABLE_ACCOUNT && key == FOLD_AB ? TOLD : RIGHT);
    }
    assert_int_equal(source_look(fixture, A),
                     table == DISK_TABLE_ACCOUNT && key == A ? TOLD : RIGHT);
    others_must_be_right(fixture, 5);
    assert_true(scrub(fixture) > 0);
    number_put(fixture, "e", 50, &taken);
    assert_true(taken);
    number_put(fixture, "b", 20, &taken);
    double now = taken ? 20 : 2;
    for (int round = 0; round < 2; round++) {
        assert_int_not_equal(look(fixture, "a", now), WRONG);
        assert_int_not_equal(look(fixture, "b", now), WRONG);
        others_must_be_right(fixture, 50);
        assert_true(store_fold_wait(fixture->store, &fault));
    }
    (void)entry_say(fixture, IDENTITY_SPLIT, "b", "", 0); /* taken, or refused as damage */
    others_must_be_right(fixture, 50);
    assert_true(scrub(fixture) > 0);
    const double told[] = {1, 2, now};
    repaired_must_be_sound(fixture, told, 3);
    fixture_fini(fixture);
    free(fixture);
}

static void a_damaged_source_record_costs_no_account_a_value(void **state)
{
    (void)state;
    damaged(DISK_TABLE_ACCOUNT, A);
    damaged(DISK_TABLE_ACCOUNT, B);
}

static void a_damaged_fold_is_told_and_taken_apart(void **state)
{
    (void)state;
    damaged(DISK_TABLE_ACCOUNT, FOLD_AB);
}

static void a_damaged_entry_is_found_and_given_up(void **state)
{
    (void)state;
    damaged(DISK_TABLE_IDENTITY, 1);
}

static void without_damage_all_is_right_and_what_is_wrong_is_seen(void **state)
{
    (void)state;
    struct fixture *fixture = company_make();
    assert_int_equal(scrub(fixture), 0);
    assert_int_equal(look(fixture, "a", 2), RIGHT);
    assert_int_equal(look(fixture, "a", 1), WRONG);
    assert_int_equal(look(fixture, "nobody", 1), WRONG);
    others_must_be_right(fixture, 5);
    spoil(fixture, DISK_TABLE_ACCOUNT, FOLD_AB, true);
    assert_int_equal(look(fixture, "a", 2), RIGHT); /* no checksum tells of it */
    assert_true(scrub(fixture) > 0);
    fixture_fini(fixture);
    free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_damaged_source_record_costs_no_account_a_value),
        cmocka_unit_test(a_damaged_fold_is_told_and_taken_apart),
        cmocka_unit_test(a_damaged_entry_is_found_and_given_up),
        cmocka_unit_test(without_damage_all_is_right_and_what_is_wrong_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
