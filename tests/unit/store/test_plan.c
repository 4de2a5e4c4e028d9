/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/store_fixture.h"

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "server/feature/schema.h"

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

static void add_put(struct store_batch *batch, const char *id, const char *key, const char *key2,
                    double number)
{
    struct made made;
    struct proto_fault fault;
    const char *keys[] = {key, key2, NULL};
    make_record(&made, id, keys, number, "Software");
    assert_true(store_batch_put(batch, made_span(&made), &fault));
}

static void add_patch(struct store_batch *batch, const char *id, const char *key, double number,
                      const uint16_t *removed, size_t removed_count)
{
    struct made made;
    struct proto_fault fault;
    const char *keys[] = {key, NULL};
    make_record(&made, id, keys, number, NULL);
    assert_true(store_batch_patch(batch, made_span(&made), removed, removed_count, &fault));
}

static void add_delete(struct store_batch *batch, const char *id)
{
    struct proto_fault fault;
    assert_true(store_batch_delete(batch, span(id), &fault));
}

static bool submit(struct fixture *fixture, struct store_batch *batch, struct store_result *result)
{
    return store_submit_wait(fixture->store, batch, result);
}

static void refused(struct fixture *fixture, struct store_batch *batch, enum proto_error code,
                    const char *field)
{
    struct store_result result;
    uint64_t seq = store_view_seq(viewed(fixture));
    assert_false(submit(fixture, batch, &result));
    assert_int_equal(result.fault.code, code);
    assert_string_equal(result.fault.field, field);
    assert_int_equal(store_view_seq(viewed(fixture)), seq);
}

static void a_key_of_another_account_is_a_conflict_that_names_it(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    assert_true(put_one(fixture, "acme", "domain:acme.com", 1, &result));
    struct store_batch *batch = store_batch_create();
    add_put(batch, "first", "domain:first.com", NULL, 5);
    add_put(batch, "other", "domain:other.com", "domain:acme.com", 6);
    refused(fixture, batch, PROTO_CONFLICT, "accounts[1].keys[1]");
    /* Nothing of the batch is there, neither what came before the conflict. */
    assert_int_equal(find_id(fixture, "first"), STORE_NO_SLOT);
    assert_int_equal(find_key(fixture, "domain:first.com"), STORE_NO_SLOT);
    assert_int_equal(store_view_slots(fixture->view), 1);
}

static void two_accounts_of_one_batch_cannot_share_a_key(void **state)
{
    struct fixture *fixture = *state;
    struct store_batch *batch = store_batch_create();
    add_put(batch, "a", "crm:1", NULL, 1);
    add_put(batch, "b", "crm:1", NULL, 2);
    refused(fixture, batch, PROTO_CONFLICT, "accounts[1].keys[0]");
    assert_int_equal(find_id(fixture, "a"), STORE_NO_SLOT);
}

static void a_key_passes_on_within_a_batch_when_its_owner_lets_go(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    assert_true(put_one(fixture, "old", "domain:x.com", 1, &result));
    struct store_batch *batch = store_batch_create();
    add_put(batch, "old", NULL, NULL, 2);
    add_put(batch, "new", "domain:x.com", NULL, 3);
    assert_true(submit(fixture, batch, &result));
    assert_int_equal(result.count, 2);
    assert_int_equal(result.created, 1);
    assert_int_equal(find_key(fixture, "domain:x.com"), 1);
    batch = store_batch_create();
    add_delete(batch, "new");
    add_put(batch, "third", "domain:x.com", NULL, 4);
    assert_true(submit(fixture, batch, &result));
    assert_int_equal(find_key(fixture, "domain:x.com"), 2);
    assert_int_equal(find_id(fixture, "new"), STORE_NO_SLOT);
}

static void the_last_command_of_a_batch_on_an_account_wins(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct store_batch *batch = store_batch_create();
    for (int i = 0; i < 10; i++) {
        add_put(batch, "acme", i % 2 == 0 ? "crm:even" : "crm:odd", NULL, i);
    }
    add_patch(batch, "acme", "crm:more", 77, NULL, 0);
    assert_true(submit(fixture, batch, &result));
    assert_int_equal(result.count, 11);
    assert_int_equal(result.created, 1);
    assert_true(number_of(fixture, "acme") == 77);
    assert_int_equal(find_key(fixture, "crm:odd"), 0);
    assert_int_equal(find_key(fixture, "crm:more"), 0);
    assert_int_equal(find_key(fixture, "crm:even"), STORE_NO_SLOT);
}

static void a_patch_lays_values_and_keys_over_and_takes_fields_away(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_span bytes;
    struct proto_fault fault;
    struct feature_record record;
    struct feature_value values[2];
    uint16_t category = 1;
    assert_true(put_one(fixture, "acme", "crm:1", 1, &result));
    struct store_batch *batch = store_batch_create();
    add_patch(batch, "acme", "crm:2", 9, NULL, 0);
    assert_true(submit(fixture, batch, &result));
    assert_int_equal(result.created, 0);
    assert_int_equal(find_key(fixture, "crm:1"), 0);
    assert_int_equal(find_key(fixture, "crm:2"), 0);
    assert_true(store_record(viewed(fixture), 0, &bytes, &fault));
    assert_true(feature_record_open(bytes, true, &record, &fault));
    feature_record_values(&record, values, 2);
    assert_true(values[0].number == 9);
    assert_true(proto_span_is(values[1].text, "Software"));
    batch = store_batch_create();
    add_patch(batch, "acme", NULL, 10, &category, 1);
    assert_true(submit(fixture, batch, &result));
    assert_true(store_record(viewed(fixture), 0, &bytes, &fault));
    assert_true(feature_record_open(bytes, true, &record, &fault));
    feature_record_values(&record, values, 2);
    assert_true(values[0].number == 10);
    assert_false(values[1].present);
}

static void a_patch_of_an_unknown_account_is_refused(void **state)
{
    struct store_batch *batch = store_batch_create();
    add_put(batch, "known", NULL, NULL, 1);
    add_patch(batch, "unknown", NULL, 1, NULL, 0);
    refused(*state, batch, PROTO_NOT_FOUND, "accounts[1].id");
}

static void deleting_frees_id_and_keys_and_leaves_the_slot_empty(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_span bytes;
    struct proto_fault fault = {.code = PROTO_OK};
    assert_true(put_one(fixture, "acme", "crm:1", 1, &result));
    assert_true(delete_one(fixture, "acme", &result));
    assert_int_equal(result.count, 1);
    assert_int_equal(find_id(fixture, "acme"), STORE_NO_SLOT);
    assert_int_equal(find_key(fixture, "crm:1"), STORE_NO_SLOT);
    assert_false(store_record(viewed(fixture), 0, &bytes, &fault));
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    assert_int_equal(store_view_accounts(fixture->view), 0);
    /* Twice is the same as once; nobody has seen the account any more: the slot is given again. */
    assert_true(delete_one(fixture, "acme", &result));
    assert_int_equal(result.count, 0);
    assert_true(put_one(fixture, "acme", "crm:1", 2, &result));
    assert_int_equal(result.created, 1);
    assert_int_equal(find_id(fixture, "acme"), 0);
}

static void too_many_keys_by_patches_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    char key[16];
    assert_true(put_one(fixture, "acme", "k", 1, &result));
    struct store_batch *batch = store_batch_create();
    for (int i = 1; i < PROTO_KEYS_MAX; i++) {
        snprintf(key, sizeof key, "k%d", i);
        add_patch(batch, "acme", key, i, NULL, 0);
    }
    assert_true(submit(fixture, batch, &result));
    batch = store_batch_create();
    add_patch(batch, "acme", "one too many", 1, NULL, 0);
    refused(fixture, batch, PROTO_LIMIT, "accounts[0].keys");
}

static void schema_versions_come_in_turn(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_fault fault;
    struct proto_span text;
    struct store_batch *batch = store_batch_create();
    assert_true(batch_schema(batch, 1, span("{one}"), &fault));
    assert_true(submit(fixture, batch, &result));
    assert_int_equal(result.version, 1);
    batch = store_batch_create();
    assert_true(batch_schema(batch, 1, span("{late}"), &fault));
    refused(fixture, batch, PROTO_CONFLICT, "version");
    batch = store_batch_create();
    assert_true(batch_schema(batch, 2, span("{two}"), &fault));
    assert_true(submit(fixture, batch, &result));
    assert_true(document_text(STORE_DOCUMENT_SCHEMA, viewed(fixture), 1, &text));
    assert_true(proto_span_is(text, "{one}"));
    assert_true(document_text(STORE_DOCUMENT_SCHEMA, fixture->view, 2, &text));
    assert_true(proto_span_is(text, "{two}"));
    assert_false(document_text(STORE_DOCUMENT_SCHEMA, fixture->view, 3, &text));
    assert_false(document_text(STORE_DOCUMENT_SCHEMA, fixture->view, 0, &text));
    assert_int_equal(fixture->change_count, 2);
    assert_int_equal(fixture->changes[1].kind, STORE_DOCUMENT_SCHEMA);
    assert_true(proto_span_is(fixture->changes[1].text, "{two}"));
}

static bool put_schema(struct fixture *fixture, const char *document, struct store_result *result)
{
    struct proto_fault fault;
    struct store_batch *batch = store_batch_create();
    assert_true(batch_schema(batch, 0, span(document), &fault));
    return submit(fixture, batch, result);
}

static uint16_t id_of(struct fixture *fixture, uint32_t version, const char *name)
{
    struct proto_span text;
    struct proto_fault fault;
    assert_true(document_text(STORE_DOCUMENT_SCHEMA, viewed(fixture), version, &text));
    struct feature_schema *schema = feature_schema_parse(text, 0, NULL, &fault);
    assert_non_null(schema);
    assert_int_equal(schema->version, version);
    const struct feature_field *field = feature_schema_find(schema, span(name));
    assert_non_null(field);
    uint16_t id = field->id;
    feature_schema_release(schema);
    return id;
}

#define FIELD(name) "{\"name\": \"" name "\", \"type\": \"number\"}"

/* Two that were made for the same version follow each other, and no two fields share an id. */
static void a_schema_takes_the_next_version_and_ids_from_all_before_it(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    assert_true(put_schema(fixture, "{\"fields\": [" FIELD("a") "]}", &result));
    assert_int_equal(result.version, 1);
    struct proto_fault fault;
    struct store_batch *batch = store_batch_create();
    assert_true(batch_schema(batch, 0, span("{\"fields\": [" FIELD("b") "]}"), &fault));
    assert_true(batch_schema(batch, 0, span("{\"fields\": [" FIELD("c") "]}"), &fault));
    assert_true(submit(fixture, batch, &result));
    assert_int_equal(result.version, 3);
    assert_true(put_schema(fixture, "{\"fields\": [" FIELD("d") "," FIELD("a") "]}", &result));
    assert_int_equal(result.version, 4);
    assert_int_equal(id_of(fixture, 1, "a"), 0);
    assert_int_equal(id_of(fixture, 2, "b"), 1);
    assert_int_equal(id_of(fixture, 3, "c"), 2);
    assert_int_equal(id_of(fixture, 4, "d"), 3);
    assert_int_equal(id_of(fixture, 4, "a"), 0);
}

static void count_done(void *context, const struct store_result *result)
{
    assert_int_equal(result->fault.code, PROTO_OK);
    atomic_fetch_add((_Atomic unsigned *)context, 1);
}

/* Whoever listens is told after the commit, when all its batches have been planned. */
static void schemas_of_one_commit_are_told_of_with_the_text_of_each(void **state)
{
    struct fixture *fixture = *state;
    enum { SCHEMAS = 40 };
    _Atomic unsigned done = 0;
    for (int i = 0; i < SCHEMAS; i++) {
        struct proto_fault fault;
        char document[80];
        snprintf(document, sizeof document,
                 "{\"fields\": [{\"name\": \"f%d\", \"type\": \"number\"}]}", i);
        struct store_batch *batch = store_batch_create();
        assert_true(batch_schema(batch, 0, span(document), &fault));
        assert_true(store_submit(fixture->store, batch, count_done, &done, &fault));
    }
    while (atomic_load(&done) < SCHEMAS) {
        usleep(1000);
    }
    assert_int_equal(fixture->change_count, SCHEMAS);
    for (uint32_t i = 0; i < SCHEMAS; i++) {
        struct proto_span text;
        struct proto_span told = fixture->changes[i].text;
        assert_int_equal(fixture->changes[i].version, i + 1);
        assert_true(document_text(STORE_DOCUMENT_SCHEMA, viewed(fixture), i + 1, &text));
        assert_true(told.bytes <= text.bytes && memcmp(told.data, text.data, told.bytes) == 0);
    }
}

static void a_schema_that_is_none_is_refused_by_the_writer_too(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    assert_false(put_schema(fixture, "{\"fields\": [", &result));
    assert_int_equal(result.fault.code, PROTO_BAD_SCHEMA);
    assert_true(put_schema(fixture, "{\"fields\": [" FIELD("a") "]}", &result));
    assert_int_equal(result.version, 1);
}

static void activate(struct fixture *fixture, uint32_t version, struct store_result *result)
{
    struct proto_fault fault;
    struct store_batch *batch = store_batch_create();
    assert_true(store_batch_activate(batch, version, span("because"), &fault));
    assert_true(submit(fixture, batch, result));
}

static void add_switch(void *context, const struct store_change *change)
{
    char *text = context;
    snprintf(text + strlen(text), 64, "%u<%u ", change->version, change->previous);
}

static void icp_versions_are_assigned_switched_and_reverted(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_fault fault = {.code = PROTO_OK};
    char switches[256] = "";
    for (int i = 1; i <= 3; i++) {
        struct store_batch *batch = store_batch_create();
        assert_true(batch_icp(batch, span("{icp}"), i == 2, span("second"), &fault));
        assert_true(submit(fixture, batch, &result));
        assert_int_equal(result.version, i);
    }
    struct store_batch *batch = store_batch_create();
    assert_true(store_batch_revert(batch, span("why"), &fault));
    refused(fixture, batch, PROTO_NOT_FOUND, "");
    batch = store_batch_create();
    assert_true(store_batch_activate(batch, 4, span("why"), &fault));
    refused(fixture, batch, PROTO_NOT_FOUND, "version");
    activate(fixture, 3, &result);
    assert_int_equal(result.version, 3);
    assert_int_equal(result.previous, 2);
    activate(fixture, 3, &result); /* a repeat changes nothing and says the same */
    assert_int_equal(result.version, 3);
    assert_int_equal(result.previous, 2);
    batch = store_batch_create();
    assert_true(store_batch_revert(batch, span("worse"), &fault));
    assert_true(submit(fixture, batch, &result));
    assert_int_equal(result.version, 2);
    assert_int_equal(result.previous, 3);
    assert_true(store_switches(viewed(fixture), add_switch, switches, &fault));
    assert_string_equal(switches, "2<0 3<2 2<3 ");
    fixture_close(fixture);
    fixture_open(fixture);
    /* Told at open: three versions, then what is active. */
    assert_int_equal(fixture->change_count, 4);
    assert_int_equal(fixture->changes[3].kind, STORE_DOCUMENT_SWITCH);
    assert_int_equal(fixture->changes[3].version, 2);
    assert_int_equal(fixture->changes[3].previous, 3);
    assert_true(proto_span_is(fixture->changes[3].text, "worse"));
}

static void texts_with_the_same_hash_are_told_apart(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    char text[24];
    fixture_close(fixture);
    fixture_remove(fixture->path);
    fixture->tuning.hash_mask = 7; /* eight hashes for all ids and keys */
    fixture_open(fixture);
    for (int i = 0; i < 200; i++) {
        snprintf(text, sizeof text, "x%d", i);
        assert_true(put_one(fixture, text, text, i, &result));
        assert_int_equal(result.created, 1);
    }
    for (int i = 0; i < 200; i += 3) {
        snprintf(text, sizeof text, "x%d", i);
        assert_true(delete_one(fixture, text, &result));
    }
    for (int round = 0; round < 2; round++) {
        settle(fixture, 0);
        for (int i = 0; i < 220; i++) {
            uint32_t slot = i >= 200 || i % 3 == 0 ? STORE_NO_SLOT : (uint32_t)i;
            snprintf(text, sizeof text, "x%d", i);
            assert_int_equal(find_id(fixture, text), slot);
            assert_int_equal(find_key(fixture, text), slot);
        }
        fixture_close(fixture);
        fixture_open(fixture);
    }
}

static void a_placed_account_keeps_its_times(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_fault fault;
    struct proto_span bytes;
    struct feature_record record;
    struct proto_span key = span("crm:7");
    uint8_t room[512];
    const struct feature_record made = {
        .id = span("moved"), .created_s = 11, .changed_s = 22, .keys = &key, .key_count = 1};
    size_t count = feature_record_encode(&made, room, sizeof room, &fault);
    assert_in_range(count, 1, sizeof room);
    for (int again = 0; again < 2; again++) {
        struct store_batch *batch = store_batch_create();
        assert_true(store_batch_place(batch, (struct proto_span){room, count}, NULL, &fault));
        assert_int_equal(submit(fixture, batch, &result), again == 0);
    }
    assert_int_equal(result.fault.code, PROTO_CONFLICT);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_true(store_record(viewed(fixture), find_key(fixture, "crm:7"), &bytes, &fault));
    assert_true(feature_record_open(bytes, true, &record, &fault));
    assert_int_equal(record.created_s, 11);
    assert_int_equal(record.changed_s, 22);
}

static void a_time_holds_for_what_follows_in_the_batch(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct store_change change;
    struct proto_fault fault;
    struct store_batch *batch = store_batch_create();
    assert_true(batch_schema(batch, 1, span("first"), &fault));
    assert_true(store_batch_time(batch, 77, &fault));
    assert_true(batch_schema(batch, 2, span("second"), &fault));
    assert_true(batch_icp(batch, span("an icp"), true, span("why"), &fault));
    assert_true(submit(fixture, batch, &result));
    assert_true(store_document_get(viewed(fixture), STORE_DOCUMENT_SCHEMA, 1, &change, &fault));
    assert_int_equal(change.time_ms, fixture->now_ms);
    assert_true(store_document_get(viewed(fixture), STORE_DOCUMENT_SCHEMA, 2, &change, &fault));
    assert_int_equal(change.time_ms, 77);
    assert_true(store_document_get(viewed(fixture), STORE_DOCUMENT_SWITCH, 1, &change, &fault));
    assert_int_equal(change.time_ms, 77);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_key_of_another_account_is_a_conflict_that_names_it),
        T(two_accounts_of_one_batch_cannot_share_a_key),
        T(a_key_passes_on_within_a_batch_when_its_owner_lets_go),
        T(the_last_command_of_a_batch_on_an_account_wins),
        T(a_patch_lays_values_and_keys_over_and_takes_fields_away),
        T(a_patch_of_an_unknown_account_is_refused),
        T(deleting_frees_id_and_keys_and_leaves_the_slot_empty),
        T(too_many_keys_by_patches_are_refused),
        T(schema_versions_come_in_turn),
        T(a_schema_takes_the_next_version_and_ids_from_all_before_it),
        T(schemas_of_one_commit_are_told_of_with_the_text_of_each),
        T(a_schema_that_is_none_is_refused_by_the_writer_too),
        T(icp_versions_are_assigned_switched_and_reverted),
        T(texts_with_the_same_hash_are_told_apart),
        T(a_placed_account_keeps_its_times),
        T(a_time_holds_for_what_follows_in_the_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
