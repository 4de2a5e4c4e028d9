/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts of several source records. Entries in random order, undos, writes and deletions among
 * them: whatever was said and taken back, in whatever order, what is stored is byte for byte what
 * another store holds that was told only what still stands. The control tells that one something
 * else, and must be noticed. Then restarts, folds and kills; what names whom; timelines; lists;
 * what is refused. */
#include "tests/unit/store/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

enum { RECORDS = 6, STEPS = 60, ROUNDS = 6 };

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture_init(fixture);
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

static uint64_t random_of(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

/* One entry by itself; its number, or 0 with the fault in *result. */
static uint32_t say(struct fixture *fixture, enum identity_act act, const char *a, const char *b,
                    uint32_t what, struct store_result *result)
{
    static const struct proto_span no_keys[2] = {{NULL, 0}, {NULL, 0}};
    struct store_batch *batch = store_batch_create();
    struct proto_fault fault = {.code = PROTO_OK};
    const struct identity_entry entry = {.act = act,
                                         .what = what,
                                         .ids = {span(a), span(b)},
                                         .author = span("test"),
                                         .reason = span("")};
    assert_true(store_batch_identity(batch, &entry, no_keys, &fault));
    return store_submit_wait(fixture->store, batch, result) ? result->version : 0;
}

static uint32_t say_well(struct fixture *fixture, enum identity_act act, const char *a,
                         const char *b, uint32_t what)
{
    struct store_result result = {.fault.code = PROTO_OK};
    uint32_t number = say(fixture, act, a, b, what, &result);
    if (number == 0) {
        print_message("%s %s %s: %s\n", identity_act_word(act), a, b, result.fault.message);
    }
    assert_int_not_equal(number, 0);
    return number;
}

/* With a value that is true from now on. */
static void put(struct fixture *fixture, const char *id, const char *key, double number)
{
    const struct feature_value value = {
        .present = true, .type = FEATURE_NUMBER, .time_ms = fixture->now_ms, .number = number};
    const struct proto_span keys[] = {span(key)};
    const struct proto_span source = span("crm");
    const struct feature_record record = {.id = span(id),
                                          .keys = keys,
                                          .key_count = 1,
                                          .sources = &source,
                                          .source_count = 1,
                                          .values = &value,
                                          .value_slots = 1};
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_result result;
    struct store_batch *batch = store_batch_create();
    assert_true(store_batch_put_record(batch, &record, &fault));
    assert_true(store_submit_wait(fixture->store, batch, &result));
}

static struct store_source source_of(struct fixture *fixture, const char *id)
{
    struct store_source source;
    struct proto_fault fault = {.code = PROTO_OK};
    uint32_t slot = find_id(fixture, id);
    assert_int_not_equal(slot, STORE_NO_SLOT);
    assert_true(store_source(fixture->view, slot, &source, &fault));
    return source;
}

/* The number of the account that an id finds. */
static double value_of(struct fixture *fixture, const char *id)
{
    struct store_source source = source_of(fixture, id);
    struct feature_record record;
    struct feature_value value;
    struct proto_fault fault;
    assert_true(feature_record_open(source.record, true, &record, &fault));
    assert_true(feature_record_value(&record, 0, &value));
    return value.number;
}

static uint32_t size_of(struct fixture *fixture, const char *id)
{
    return source_of(fixture, id).count;
}

/* What a step of the random test said. */
struct said {
    enum identity_act act;
    int a, b;
    uint32_t number; /* in the store that hears everything */
    bool taken;
};

static const char *const names[RECORDS] = {"r0", "r1", "r2", "r3", "r4", "r5"};

/* Accounts and their records in the order of names, so that slots do not matter. */
static uint64_t accounts_digest(struct fixture *fixture)
{
    uint64_t digest = 0;
    for (int i = 0; i < RECORDS; i++) {
        struct store_source source = source_of(fixture, names[i]);
        digest = digest * 31 + base_hash(source.record.data, source.record.bytes, source.count);
    }
    return digest * 31 + store_view_accounts(fixture->view);
}

static void records_put(struct fixture *fixture)
{
    for (int i = 0; i < RECORDS; i++) {
        char key[16];
        snprintf(key, sizeof key, "k:%d", i);
        fixture->now_ms = 1000000 + 1000 * (int64_t)(i * 7 % RECORDS);
        put(fixture, names[i], key, i);
    }
    fixture->now_ms = 2000000;
}

/* Says one thing more that changes which records are one. */
static void spoil_it(struct fixture *fixture)
{
    struct store_result result;
    for (int i = 0; i < RECORDS; i++) {
        for (int j = i + 1; j < RECORDS; j++) {
            if (find_id(fixture, names[i]) != find_id(fixture, names[j]) &&
                say(fixture, IDENTITY_MERGE, names[i], names[j], 0, &result) > 0) {
                return;
            }
        }
    }
    for (int i = 0; i < RECORDS; i++) {
        if (size_of(fixture, names[i]) > 0) {
            (void)say_well(fixture, IDENTITY_SPLIT, names[i], "", 0);
            return;
        }
    }
    fail(); /* nobody is together, and nobody may be */
}

/* A store that is told only what stands; `spoil`: and one thing more. */
static uint64_t stands_digest(const struct said *said, size_t count, bool spoil)
{
    struct fixture *other = calloc(1, sizeof *other);
    assert_non_null(other);
    fixture_init(other);
    fixture_open(other);
    records_put(other);
    for (size_t i = 0; i < count; i++) {
        if (!said[i].taken) {
            (void)say_well(other, said[i].act, names[said[i].a],
                           identity_act_records(said[i].act) > 1 ? names[said[i].b] : "", 0);
        }
    }
    if (spoil) {
        spoil_it(other);
    }
    must_be_sound(other);
    uint64_t digest = accounts_digest(other);
    fixture_fini(other);
    free(other);
    return digest;
}

/* Says something at random, or takes something away; what is refused was not said. */
static void step(struct fixture *fixture, uint64_t *seed, struct said *said, size_t *count)
{
    struct store_result result;
    if (*count > 0 && random_of(seed) % 5 < 2) {
        struct said *one = &said[random_of(seed) % *count];
        if (!one->taken && say(fixture, IDENTITY_UNDO, "", "", one->number, &result) > 0) {
            one->taken = true;
        }
        return;
    }
    struct said *next = &said[*count];
    next->act = (enum identity_act)(IDENTITY_LINK + random_of(seed) % 5);
    next->a = (int)(random_of(seed) % RECORDS);
    next->b = (next->a + 1 + (int)(random_of(seed) % (RECORDS - 1))) % RECORDS;
    next->taken = false;
    next->number = say(fixture, next->act, names[next->a],
                       identity_act_records(next->act) > 1 ? names[next->b] : "", 0, &result);
    *count += next->number > 0;
}

/* Whether the entries, told in their order, are all taken: what was undone may have been what made
 * room for a later one (a never against a merge), and then no store can be told only what stands.
 */
static bool tellable(const struct said *said, size_t count)
{
    struct fixture *other = calloc(1, sizeof *other);
    bool good = true;
    struct store_result result;
    fixture_init(other);
    fixture_open(other);
    records_put(other);
    for (size_t i = 0; good && i < count; i++) {
        good = said[i].taken ||
               say(other, said[i].act, names[said[i].a],
                   identity_act_records(said[i].act) > 1 ? names[said[i].b] : "", 0, &result) > 0;
    }
    fixture_fini(other);
    free(other);
    return good;
}

static void any_order_of_entries_and_undos_is_the_fold_of_what_stands(void **state)
{
    uint64_t seed = 20;
    size_t compared = 0;
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct fixture *fixture = calloc(1, sizeof *fixture);
        struct said said[STEPS];
        size_t count = 0;
        fixture_init(fixture);
        fixture_open(fixture);
        records_put(fixture);
        for (int i = 0; i < STEPS; i++) {
            step(fixture, &seed, said, &count);
            if (i % 20 == 19) {
                fixture_close(fixture);
                fixture->tuning.abandon = i % 40 == 39; /* the next close is a kill */
                fixture_open(fixture);
            }
        }
        must_be_sound(fixture);
        if (tellable(said, count)) {
            uint64_t digest = accounts_digest(fixture);
            assert_int_equal(digest, stands_digest(said, count, false));
            assert_int_not_equal(digest, stands_digest(said, count, true));
            compared++;
        }
        for (size_t i = 0; i < count; i++) {
            struct store_result result;
            if (!said[i].taken &&
                say(fixture, IDENTITY_UNDO, "", "", said[i].number, &result) > 0) {
                said[i].taken = true;
            }
        }
        for (size_t i = count; i > 0; i--) { /* what a never kept from being undone */
            struct store_result result;
            said[i - 1].taken = said[i - 1].taken || say(fixture, IDENTITY_UNDO, "", "",
                                                         said[i - 1].number, &result) > 0;
        }
        assert_int_equal(accounts_digest(fixture), stands_digest(said, 0, false));
        fixture_fini(fixture);
        free(fixture);
    }
    assert_true(compared > 0);
}

static void every_id_and_key_of_a_merged_account_finds_it(void **state)
{
    struct fixture *fixture = *state;
    struct proto_span record;
    struct proto_fault fault = {.code = PROTO_OK};
    put(fixture, "a", "crm:1", 1);
    fixture->now_ms += 5000;
    put(fixture, "b", "bill:2", 2);
    uint32_t own = find_id(fixture, "b");
    uint32_t number = say_well(fixture, IDENTITY_MERGE, "a", "b", 0);
    uint32_t slot = find_id(fixture, "a");
    assert_int_equal(find_id(fixture, "b"), slot);
    assert_int_equal(find_key(fixture, "crm:1"), slot);
    assert_int_equal(find_key(fixture, "bill:2"), slot);
    assert_int_equal(store_view_accounts(fixture->view), 1);
    assert_int_equal(store_view_sources(fixture->view), 2);
    assert_true(value_of(fixture, "a") == 2); /* the later value */
    assert_true(store_record(fixture->view, slot, &record, &fault));
    assert_true(store_record_has(record, STORE_KIND_ID, span("a")));
    assert_false(store_record(fixture->view, own, &record, &fault));
    /* A write under either id is of that source record. */
    fixture->now_ms += 5000;
    put(fixture, "a", "crm:1", 7);
    assert_true(value_of(fixture, "b") == 7);
    fixture_close(fixture);
    fixture_open(fixture);
    must_be_sound(fixture);
    assert_true(value_of(fixture, "b") == 7);
    (void)say_well(fixture, IDENTITY_UNDO, "", "", number);
    assert_true(value_of(fixture, "a") == 7);
    assert_true(value_of(fixture, "b") == 2);
    assert_int_equal(find_id(fixture, "b"), own);
    assert_int_equal(find_key(fixture, "bill:2"), own);
    assert_int_equal(store_view_accounts(fixture->view), 2);
    must_be_sound(fixture);
}

static void a_deleted_source_record_leaves_the_others(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    put(fixture, "a", "k:a", 1);
    put(fixture, "b", "k:b", 2);
    put(fixture, "c", "k:c", 3);
    (void)say_well(fixture, IDENTITY_MERGE, "a", "b", 0);
    (void)say_well(fixture, IDENTITY_MERGE, "b", "c", 0);
    assert_int_equal(size_of(fixture, "c"), 3);
    assert_true(delete_one(fixture, "b", &result)); /* which joined the others */
    assert_int_equal(find_id(fixture, "b"), STORE_NO_SLOT);
    assert_int_equal(size_of(fixture, "a"), 0);
    assert_int_not_equal(find_id(fixture, "a"), find_id(fixture, "c"));
    /* Whoever gets the id next is another record. */
    put(fixture, "b", "k:b", 4);
    assert_int_equal(size_of(fixture, "b"), 0);
    assert_int_equal(store_view_accounts(fixture->view), 3);
    (void)say_well(fixture, IDENTITY_LINK, "a", "c", 0);
    assert_int_equal(size_of(fixture, "a"), 2);
    assert_true(delete_one(fixture, "a", &result));
    assert_true(delete_one(fixture, "c", &result));
    assert_int_equal(store_view_accounts(viewed(fixture)), 1);
    must_be_sound(fixture);
}

static void never_stands_above_links_and_against_merges(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    put(fixture, "a", "k:a", 1);
    put(fixture, "b", "k:b", 2);
    put(fixture, "c", "k:c", 3);
    (void)say_well(fixture, IDENTITY_LINK, "a", "b", 0);
    (void)say_well(fixture, IDENTITY_LINK, "b", "c", 0);
    uint32_t never = say_well(fixture, IDENTITY_NEVER, "a", "c", 0);
    assert_int_equal(size_of(fixture, "a"), 2);
    assert_int_equal(size_of(fixture, "c"), 0);
    assert_int_equal(say(fixture, IDENTITY_MERGE, "c", "a", 0, &result), 0);
    assert_int_equal(result.fault.code, PROTO_CONFLICT);
    assert_string_equal(result.fault.field, "entries[0].other");
    (void)say_well(fixture, IDENTITY_UNDO, "", "", never);
    assert_int_equal(size_of(fixture, "c"), 3);
    (void)say_well(fixture, IDENTITY_SPLIT, "c", "", 0);
    assert_int_equal(size_of(fixture, "c"), 0);
    assert_int_equal(say(fixture, IDENTITY_UNDO, "", "", never, &result), 0);
    assert_int_equal(result.fault.code, PROTO_CONFLICT);
    assert_int_equal(say(fixture, IDENTITY_UNDO, "", "", 99, &result), 0);
    assert_int_equal(result.fault.code, PROTO_NOT_FOUND);
    assert_int_equal(say(fixture, IDENTITY_PIN, "nobody", "", 0, &result), 0);
    assert_int_equal(result.fault.code, PROTO_NOT_FOUND);
    assert_int_equal(say(fixture, IDENTITY_MERGE, "a", "a", 0, &result), 0);
    assert_int_equal(result.fault.code, PROTO_BAD_FIELD);
    must_be_sound(fixture);
}

static void a_key_of_another_source_record_of_the_account_is_a_conflict(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    put(fixture, "a", "k:a", 1);
    put(fixture, "b", "k:b", 2);
    (void)say_well(fixture, IDENTITY_MERGE, "a", "b", 0);
    assert_false(put_one(fixture, "b", "k:a", 2, &result));
    assert_int_equal(result.fault.code, PROTO_CONFLICT);
    put(fixture, "b", "k:new", 3);
    assert_int_equal(find_key(fixture, "k:b"), STORE_NO_SLOT);
    assert_int_equal(find_key(fixture, "k:new"), find_id(fixture, "a"));
    must_be_sound(fixture);
}

struct seen {
    char text[256];
};

static bool see(void *context, const struct event *event)
{
    struct seen *seen = context;
    size_t at = strlen(seen->text);
    snprintf(seen->text + at, sizeof seen->text - at, "%.*s ", (int)event->id.bytes,
             (const char *)event->id.data);
    return true;
}

static void tell(struct fixture *fixture, const char *account, const char *id)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_result result;
    struct store_batch *batch = store_batch_create();
    const struct event event = {
        .type = EVENT_TOUCH, .time_ms = 1000, .source = span("crm"), .id = span(id)};
    assert_true(store_batch_event(batch, span(account), false, &event, &fault));
    assert_true(store_submit_wait(fixture->store, batch, &result));
}

static const char *story(struct fixture *fixture, const char *id, struct seen *seen)
{
    struct proto_fault fault = {.code = PROTO_OK};
    seen->text[0] = '\0';
    assert_true(store_timeline(viewed(fixture), find_id(fixture, id), see, seen, &fault));
    return seen->text;
}

static void events_of_all_source_records_are_one_story(void **state)
{
    struct fixture *fixture = *state;
    struct seen seen;
    put(fixture, "a", "k:a", 1);
    put(fixture, "b", "k:b", 2);
    tell(fixture, "a", "1");
    tell(fixture, "b", "2");
    tell(fixture, "a", "3");
    tell(fixture, "b", "3"); /* both were told */
    uint32_t number = say_well(fixture, IDENTITY_LINK, "b", "a", 0);
    tell(fixture, "a", "4");
    for (int i = 0; i < 2; i++) {
        assert_string_equal(story(fixture, "a", &seen), "1 2 3 4 ");
        assert_string_equal(story(fixture, "b", &seen), "1 2 3 4 ");
        fixture_close(fixture);
        fixture_open(fixture);
    }
    (void)say_well(fixture, IDENTITY_UNDO, "", "", number);
    assert_string_equal(story(fixture, "a", &seen), "1 3 4 ");
    assert_string_equal(story(fixture, "b", &seen), "2 3 ");
    must_be_sound(fixture);
}

/* The slots of the list as it was told last. */
static const uint32_t *listed(const struct fixture *fixture)
{
    for (size_t i = fixture->change_count; i > 0; i--) {
        if (fixture->changes[i - 1].kind == STORE_DOCUMENT_TAL) {
            return fixture->slots[i - 1];
        }
    }
    fail();
    return NULL;
}

static void lists_name_the_account_that_their_members_are_now(void **state)
{
    struct fixture *fixture = *state;
    static const char *const ids[] = {"b", "c"};
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_result result;
    put(fixture, "a", "k:a", 1);
    put(fixture, "b", "k:b", 2);
    put(fixture, "c", "k:c", 3);
    struct store_batch *batch = store_batch_create();
    assert_true(batch_tal(batch, 1, "{}", ids, 2, &fault));
    assert_true(store_submit_wait(fixture->store, batch, &result));
    uint32_t own = find_id(fixture, "b");
    assert_int_equal(listed(fixture)[0], own);
    uint32_t number = say_well(fixture, IDENTITY_MERGE, "a", "b", 0);
    assert_int_equal(listed(fixture)[0], find_id(fixture, "a"));
    fixture_close(fixture);
    fixture_open(fixture);
    assert_int_equal(listed(fixture)[0], find_id(fixture, "a"));
    assert_int_equal(listed(fixture)[1], find_id(fixture, "c"));
    (void)say_well(fixture, IDENTITY_UNDO, "", "", number);
    assert_int_equal(listed(fixture)[0], own);
    must_be_sound(fixture);
}

static void rows_are_those_of_accounts(void **state)
{
    struct fixture *fixture = *state;
    uint8_t salt = 0;
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_rows rows;
    put(fixture, "a", "k:a", 1);
    fixture->now_ms += 5000;
    put(fixture, "b", "k:b", 2);
    struct store_encoder encoder = fixture_encoder(5, 8, &salt);
    store_set_encoder(fixture->store, &encoder);
    settle(fixture, 5);
    (void)say_well(fixture, IDENTITY_MERGE, "a", "b", 0);
    for (int i = 0; i < 2; i++) {
        uint32_t slot = find_id(fixture, "a");
        assert_true(store_rows(fixture->view, 0, &rows, &fault));
        assert_int_equal(rows.living, UINT64_C(1) << slot);
        assert_int_equal(store_row(fixture->view, slot, &fault)[0], 2);
        salt = 0;
        struct store_encoder next = fixture_encoder(6, 8, &salt);
        store_set_encoder(fixture->store, &next);
        settle(fixture, 6); /* encoded anew from the tables */
    }
    must_be_sound(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_of_entries_and_undos_is_the_fold_of_what_stands),
        cmocka_unit_test_setup_teardown(every_id_and_key_of_a_merged_account_finds_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_deleted_source_record_leaves_the_others, setup, teardown),
        cmocka_unit_test_setup_teardown(never_stands_above_links_and_against_merges, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_key_of_another_source_record_of_the_account_is_a_conflict,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(events_of_all_source_records_are_one_story, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(lists_name_the_account_that_their_members_are_now, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(rows_are_those_of_accounts, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
