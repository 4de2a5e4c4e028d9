/* SPDX-License-Identifier: Apache-2.0 */
/* Writes as a use case: what is checked before the writer sees it, and what comes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/engine/ingest.h"
#include "tests/unit/engine/engine_await.h"
#include "tests/unit/engine/engine_fixture.h"

static struct engine_fixture fixture;
static struct engine_worker *worker;

static int setup(void **state)
{
    (void)state;
    engine_fixture_open(&fixture);
    engine_fixture_fill(&fixture, 5);
    worker = engine_fixture_worker(&fixture);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    engine_worker_destroy(worker);
    engine_fixture_close(&fixture);
    return 0;
}

static uint32_t find(const char *id, const char *key)
{
    struct proto_fault fault = {0};
    struct engine_name name = {.id = proto_span_text(id), .key = proto_span_text(key)};
    uint32_t slot = engine_find(worker, &name, &fault);
    assert_int_equal(fault.code, PROTO_OK);
    return slot;
}

/* Commits what `ingest` holds and tells what came of it. */
static struct engine_written commit(struct engine_ingest *ingest)
{
    struct proto_fault fault = {0};
    struct engine_await await;
    engine_await_begin(&await);
    bool given = engine_ingest_commit(ingest, fixture.engine, &await.write, &fault);
    return engine_await_end(&await, worker, given, &fault);
}

static struct engine_ingest *begin(void)
{
    struct proto_fault fault = {0};
    struct engine_ingest *ingest = engine_ingest_begin(&fault);
    assert_non_null(ingest);
    return ingest;
}

static struct engine_account account_of(const char *id)
{
    return (struct engine_account){.id = proto_span_text(id), .source = proto_span_text("test")};
}

/* Puts an account of an industry and a number of employees. */
static struct engine_written put(const char *id, const char *key, const char *industry,
                                 double employees)
{
    struct proto_fault fault = {0};
    struct feature_value values[2] = {{.present = true, .type = FEATURE_CATEGORY},
                                      {.present = true, .type = FEATURE_NUMBER}};
    struct proto_span keys = proto_span_text(key ? key : "");
    struct engine_account account = account_of(id);
    values[0].text = proto_span_text(industry);
    values[1].number = employees;
    account.keys = &keys;
    account.key_count = key != NULL;
    account.values = values;
    account.value_slots = 2;
    struct engine_ingest *ingest = begin();
    assert_true(engine_ingest_put(ingest, &account, &fault));
    return commit(ingest);
}

static void an_account_is_found_by_id_and_key_once_it_is_told_of(void **state)
{
    (void)state;
    struct engine_written written = put("acme", "domain:Acme.EXAMPLE", "Steel", 12);
    assert_int_equal(written.fault.code, PROTO_OK);
    assert_int_equal(written.count, 1);
    assert_int_equal(written.created, 1);
    assert_int_equal(written.seq, engine_worker_seq(worker));
    assert_int_equal(engine_worker_accounts(worker), 6);
    uint32_t slot = find("acme", "");
    assert_int_not_equal(slot, ENGINE_NO_SLOT);
    assert_int_equal(find("", "domain:acme.example"), slot);
    assert_int_equal(find("", "domain:ACME.example"), slot);
    assert_int_equal(find("", "crm:acme"), ENGINE_NO_SLOT);
    struct engine_written again = put("acme", NULL, "Retail", 13);
    assert_int_equal(again.created, 0);
    assert_int_equal(find("", "domain:acme.example"), ENGINE_NO_SLOT);
}

static void a_record_holds_what_was_given(void **state)
{
    (void)state;
    struct feature_record record;
    struct feature_value values[6];
    struct proto_span key;
    struct proto_fault fault = {0};
    size_t at = 0;
    put("held", "crm:AbC", "Steel", 77);
    assert_true(engine_record(worker, find("held", ""), &record, &fault));
    assert_true(proto_span_equal(record.id, proto_span_text("held")));
    assert_true(feature_record_key_next(&record, &at, &key));
    assert_true(proto_span_equal(key, proto_span_text("crm:AbC")));
    feature_record_values(&record, values, 6);
    assert_true(values[1].present && values[1].number == 77);
    assert_true(proto_span_equal(feature_record_source(&record, values[1].source),
                                 proto_span_text("test")));
    assert_false(engine_record(worker, 1000, &record, &fault));
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
}

static void what_is_not_allowed_is_refused_before_the_writer_sees_it(void **state)
{
    (void)state;
    char longest[PROTO_SOURCE_BYTES_MAX + 2];
    struct proto_span many[PROTO_KEYS_MAX + 1];
    memset(longest, 's', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    for (size_t i = 0; i < sizeof many / sizeof *many; i++) {
        many[i] = proto_span_text("crm:1");
    }
    const struct proto_span bad_key = proto_span_text("acme.com");
    const struct {
        struct engine_account account;
        enum proto_error code;
        const char *field;
    } cases[] = {
        {account_of(""), PROTO_BAD_FIELD, "id"},
        {account_of("a\nb"), PROTO_BAD_FIELD, "id"},
        {{.id = proto_span_text("a"), .source = proto_span_text(longest)},
         PROTO_BAD_FIELD,
         "source"},
        {{.id = proto_span_text("a"), .keys = &bad_key, .key_count = 1}, PROTO_BAD_FIELD, "keys"},
        {{.id = proto_span_text("a"), .keys = many, .key_count = PROTO_KEYS_MAX + 1},
         PROTO_TOO_LARGE,
         "keys"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int patch = 0; patch < 2; patch++) {
            struct proto_fault fault = {0};
            struct engine_ingest *ingest = begin();
            assert_false(patch ? engine_ingest_patch(ingest, &cases[i].account, &fault)
                               : engine_ingest_put(ingest, &cases[i].account, &fault));
            assert_int_equal(fault.code, cases[i].code);
            assert_string_equal(fault.field, cases[i].field);
            engine_ingest_drop(ingest);
        }
    }
    struct proto_fault fault = {0};
    struct engine_ingest *ingest = begin();
    assert_false(engine_ingest_delete(ingest, proto_span_text("\x7f"), &fault));
    assert_string_equal(fault.field, "ids");
    engine_ingest_drop(ingest);
    engine_ingest_drop(NULL);
}

static void what_is_committed_together_is_stored_whole_or_not_at_all(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    struct engine_account good = account_of("whole-1");
    struct engine_account bad = account_of("whole-2");
    const struct proto_span taken = proto_span_text("domain:company0.example");
    bad.keys = &taken;
    bad.key_count = 1;
    struct engine_ingest *ingest = begin();
    assert_true(engine_ingest_put(ingest, &good, &fault));
    assert_true(engine_ingest_put(ingest, &bad, &fault));
    struct engine_written written = commit(ingest);
    assert_int_equal(written.fault.code, PROTO_CONFLICT);
    assert_string_equal(written.fault.field, "accounts[1].keys[0]");
    assert_int_equal(find("whole-1", ""), ENGINE_NO_SLOT);
}

static void a_patch_lays_values_over_and_takes_values_away(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    struct feature_value values[6] = {{0}};
    uint16_t removed[] = {1};
    struct engine_account patch = account_of("patched");
    put("patched", "crm:p", "Steel", 40);
    values[0] = (struct feature_value){
        .present = true, .type = FEATURE_CATEGORY, .text = proto_span_text("Retail")};
    patch.values = values;
    patch.value_slots = 6;
    patch.removed = removed;
    patch.removed_count = 1;
    struct engine_ingest *ingest = begin();
    assert_true(engine_ingest_patch(ingest, &patch, &fault));
    struct engine_written written = commit(ingest);
    assert_int_equal(written.count, 1);
    struct feature_record record;
    assert_true(engine_record(worker, find("", "crm:p"), &record, &fault));
    feature_record_values(&record, values, 6);
    assert_true(proto_span_equal(values[0].text, proto_span_text("Retail")));
    assert_false(values[1].present);

    struct engine_account nobody = account_of("nobody");
    ingest = begin();
    assert_true(engine_ingest_patch(ingest, &nobody, &fault));
    assert_int_equal(commit(ingest).fault.code, PROTO_NOT_FOUND);
    nobody.create = true;
    nobody.values = values;
    nobody.value_slots = 6;
    nobody.removed = removed;
    nobody.removed_count = 1;
    ingest = begin();
    assert_true(engine_ingest_patch(ingest, &nobody, &fault));
    assert_true(engine_ingest_patch(ingest, &nobody, &fault));
    written = commit(ingest);
    assert_int_equal(written.fault.code, PROTO_OK);
    assert_int_equal(written.count, 2);
    assert_int_equal(written.created, 1);
    assert_true(engine_record(worker, find("nobody", ""), &record, &fault));
    feature_record_values(&record, values, 6);
    assert_true(proto_span_equal(values[0].text, proto_span_text("Retail")));
}

static void deleting_passes_over_who_is_not_there(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    struct engine_ingest *ingest = begin();
    put("gone", "crm:gone", "Steel", 40);
    assert_true(engine_ingest_delete(ingest, proto_span_text("gone"), &fault));
    assert_true(engine_ingest_delete(ingest, proto_span_text("never"), &fault));
    struct engine_written written = commit(ingest);
    assert_int_equal(written.fault.code, PROTO_OK);
    assert_int_equal(written.count, 1);
    assert_int_equal(find("gone", ""), ENGINE_NO_SLOT);
    assert_int_equal(find("", "crm:gone"), ENGINE_NO_SLOT);
}

static void a_large_record_grows_the_buffer(void **state)
{
    (void)state;
    static char text[PROTO_CATEGORY_BYTES_MAX + 1];
    struct proto_fault fault = {0};
    struct feature_value values[6] = {{0}};
    memset(text, 'x', PROTO_CATEGORY_BYTES_MAX);
    values[0] = (struct feature_value){
        .present = true, .type = FEATURE_CATEGORY, .text = proto_span_text(text)};
    struct engine_ingest *ingest = begin();
    for (int i = 0; i < 3; i++) {
        char id[16];
        snprintf(id, sizeof id, "large%d", i);
        struct engine_account account = account_of(id);
        account.values = values;
        account.value_slots = i == 0 ? 0 : 6;
        assert_true(engine_ingest_put(ingest, &account, &fault));
    }
    assert_int_equal(commit(ingest).created, 3);
}

static struct engine_written schema_put(const char *text)
{
    struct proto_fault fault = {0};
    struct engine_await await;
    engine_await_begin(&await);
    bool given = engine_schema_put(worker, proto_span_text(text), &await.write, &fault);
    return engine_await_end(&await, worker, given, &fault);
}

static void a_schema_that_is_none_is_refused_at_once(void **state)
{
    (void)state;
    struct engine_written written = schema_put("{\"fields\":1}");
    assert_int_equal(written.fault.code, PROTO_BAD_SCHEMA);
    struct proto_span text;
    assert_true(engine_schema_text(worker, 1, &text));
    char *first = strndup((const char *)text.data, text.bytes);
    written = schema_put(first);
    free(first);
    assert_int_equal(written.fault.code, PROTO_OK);
    assert_int_equal(written.version, 2);
    assert_true(engine_schema_text(worker, 2, &text));
    assert_false(engine_schema_text(worker, 3, &text));
    assert_false(engine_schema_text(worker, UINT64_MAX, &text));
}

static struct engine_written icp_put(struct engine_worker *by, struct proto_span text)
{
    struct proto_fault fault = {0};
    struct engine_await await;
    engine_await_begin(&await);
    bool given = engine_icp_put(by, text, &await.write, &fault);
    return engine_await_end(&await, worker, given, &fault);
}

static struct engine_written activate(uint64_t version)
{
    struct proto_fault fault = {0};
    struct engine_await await;
    engine_await_begin(&await);
    bool given =
        engine_icp_activate(worker, version, proto_span_text("because"), &await.write, &fault);
    return engine_await_end(&await, worker, given, &fault);
}

static struct engine_written revert(void)
{
    struct proto_fault fault = {0};
    struct engine_await await;
    engine_await_begin(&await);
    bool given = engine_icp_revert(worker, proto_span_text("back"), &await.write, &fault);
    return engine_await_end(&await, worker, given, &fault);
}

struct switches {
    size_t count;
    uint32_t versions[8];
    char reasons[8][16];
};

static void switch_note(void *context, const struct engine_switch *change)
{
    struct switches *switches = context;
    assert_true(switches->count < 8 && change->time_ms > 0);
    snprintf(switches->reasons[switches->count], 16, "%.*s", (int)change->reason.bytes,
             (const char *)change->reason.data);
    switches->versions[switches->count++] = change->version;
}

static void versions_are_put_activated_and_reverted(void **state)
{
    (void)state;
    struct engine_fixture learned;
    struct proto_fault fault = {0};
    engine_fixture_open(&learned);
    struct engine_worker *other = engine_fixture_worker(&learned);
    struct engine_written written = icp_put(other, proto_span_text("{}"));
    assert_int_equal(written.fault.code, PROTO_NO_SCHEMA);
    engine_fixture_fill(&learned, 600);
    engine_fixture_learn(&learned);
    assert_true(engine_worker_refresh(other, &fault));
    struct learn_document *document = engine_state_document(engine_worker_state(other), 0, &fault);
    struct proto_span text = {(const uint8_t *)document->text, document->text_bytes};

    assert_int_equal(icp_put(worker, proto_span_text("{}")).fault.code, PROTO_BAD_DOCUMENT);
    assert_int_equal(revert().fault.code, PROTO_NOT_FOUND);
    assert_int_equal(activate(0).fault.code, PROTO_BAD_FIELD);
    assert_int_equal(activate(1).fault.code, PROTO_NOT_FOUND);
    for (uint32_t version = 1; version <= 2; version++) {
        written = icp_put(worker, text);
        assert_int_equal(written.fault.code, PROTO_OK);
        assert_int_equal(written.version, version);
    }
    assert_null(engine_worker_state(worker)->active);
    written = activate(1);
    assert_int_equal(written.version, 1);
    assert_int_equal(written.previous, 0);
    written = activate(2);
    assert_int_equal(written.previous, 1);
    written = revert();
    assert_int_equal(written.version, 1);
    assert_int_equal(engine_worker_state(worker)->active->version, 1);
    struct switches switches = {0};
    assert_true(engine_switches(worker, switch_note, &switches, &fault));
    assert_int_equal(switches.count, 3);
    assert_int_equal(switches.versions[1], 2);
    assert_string_equal(switches.reasons[0], "because");
    assert_string_equal(switches.reasons[2], "back");
    engine_worker_destroy(other);
    engine_fixture_close(&learned);
}

/* Deletes nobody under an operation id, by a deadline. */
static struct engine_written named_delete(const char *operation, uint64_t digest,
                                          int64_t deadline_ms)
{
    struct proto_fault fault = {0};
    struct engine_await await;
    struct engine_ingest *ingest = begin();
    engine_await_begin(&await);
    await.write.operation =
        (struct engine_operation){.id = proto_span_text(operation), .digest = digest};
    await.write.deadline_ms = deadline_ms;
    assert_true(engine_ingest_delete(ingest, proto_span_text("nobody"), &fault));
    bool given = engine_ingest_commit(ingest, fixture.engine, &await.write, &fault);
    return engine_await_end(&await, worker, given, &fault);
}

static void an_operation_that_is_repeated_is_applied_once(void **state)
{
    (void)state;
    struct engine_written first = named_delete("op", 1, 0);
    assert_int_equal(first.fault.code, PROTO_OK);
    assert_false(first.repeated);
    struct engine_written again = named_delete("op", 1, 0);
    assert_true(again.repeated);
    assert_int_equal(again.seq, first.seq);
    assert_int_equal(engine_worker_seq(worker), first.seq);
    assert_int_equal(named_delete("op", 2, 0).fault.code, PROTO_CONFLICT);
    /* Without an id each is another one. */
    assert_int_equal(named_delete("", 1, 0).seq, first.seq + 1);
    assert_int_equal(named_delete("", 1, 0).seq, first.seq + 2);
}

static void an_operation_id_that_is_none_is_refused(void **state)
{
    (void)state;
    char longest[PROTO_OPERATION_BYTES_MAX + 2];
    memset(longest, 'o', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    struct engine_written written = named_delete(longest, 1, 0);
    assert_int_equal(written.fault.code, PROTO_BAD_FIELD);
    assert_string_equal(written.fault.field, "operation");
    assert_int_equal(named_delete(longest + 1, 1, 0).fault.code, PROTO_OK);
}

static void what_an_operation_did_can_be_asked(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    struct engine_written written;
    struct engine_operation asked = {.id = proto_span_text("asked"), .digest = 5};
    assert_true(engine_operation_find(fixture.engine, &asked, &written, &fault));
    assert_false(written.repeated);
    struct engine_written first = named_delete("asked", 5, 0);
    assert_true(engine_operation_find(fixture.engine, &asked, &written, &fault));
    assert_true(written.repeated);
    assert_int_equal(written.seq, first.seq);
    asked.digest = 6;
    assert_false(engine_operation_find(fixture.engine, &asked, &written, &fault));
    assert_int_equal(fault.code, PROTO_CONFLICT);
    struct engine_operation none = {0};
    assert_true(engine_operation_find(fixture.engine, &none, &written, &fault));
    assert_false(written.repeated);
}

static void a_write_whose_time_is_over_is_not_carried_out(void **state)
{
    (void)state;
    int64_t now_ms = engine_now_ms(fixture.engine);
    uint64_t seq = engine_worker_seq(worker);
    assert_int_equal(named_delete("", 0, now_ms).fault.code, PROTO_DEADLINE);
    assert_int_equal(engine_worker_seq(worker), seq);
    assert_int_equal(named_delete("", 0, now_ms + 1).fault.code, PROTO_OK);
}

static uint32_t learn_under(const char *operation, uint64_t digest, bool *repeated)
{
    struct proto_fault fault = {0};
    struct engine_learn learn = {
        .label = proto_span_text("won = 1"),
        .despite_readiness = true, /* values of the fixture are of 1970, and stale */
        .seed = 1,
        .operation = {.id = proto_span_text(operation), .digest = digest},
        .on_done = engine_fixture_ended,
        .context = &fixture,
    };
    size_t before = fixture.ended_count;
    assert_true(engine_learn(fixture.engine, &learn, &fault) > 0);
    struct engine_job_info info = engine_fixture_wait(&fixture, before + 1);
    *repeated = info.repeated;
    return info.icp;
}

static void learning_again_under_the_same_id_makes_no_version(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    bool repeated;
    engine_fixture_fill(&fixture, 600);
    assert_true(engine_worker_refresh(worker, &fault));
    size_t versions = engine_worker_state(worker)->document_count;
    uint32_t first = learn_under("learn", 1, &repeated);
    assert_int_equal(first, versions + 1);
    assert_false(repeated);
    assert_int_equal(learn_under("learn", 1, &repeated), first);
    assert_true(repeated);
    assert_int_equal(learn_under("learn", 2, &repeated), 0); /* it conflicts */
    assert_true(engine_worker_refresh(worker, &fault));
    assert_int_equal(engine_worker_state(worker)->document_count, versions + 1);
}

static void what_was_told_is_there_after_a_restart(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    put("last", "domain:last.example", "Steel", 1);
    uint64_t seq = engine_worker_seq(worker);
    uint64_t accounts = engine_worker_accounts(worker);
    engine_worker_destroy(worker);
    engine_fixture_again(&fixture);
    worker = engine_fixture_worker(&fixture);
    assert_int_equal(engine_worker_seq(worker), seq);
    assert_int_equal(engine_worker_accounts(worker), accounts);
    uint32_t slot = find("", "domain:last.example");
    assert_int_not_equal(slot, ENGINE_NO_SLOT);
    struct engine_name name = {.email = proto_span_text("ann@www.last.example")};
    assert_int_equal(engine_find(worker, &name, &fault), slot);
    name.email = proto_span_text("ann@gmail.com");
    assert_int_equal(engine_find(worker, &name, &fault), ENGINE_NO_SLOT);
    assert_int_equal(fault.code, PROTO_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_is_found_by_id_and_key_once_it_is_told_of),
        cmocka_unit_test(a_record_holds_what_was_given),
        cmocka_unit_test(what_is_not_allowed_is_refused_before_the_writer_sees_it),
        cmocka_unit_test(what_is_committed_together_is_stored_whole_or_not_at_all),
        cmocka_unit_test(a_patch_lays_values_over_and_takes_values_away),
        cmocka_unit_test(deleting_passes_over_who_is_not_there),
        cmocka_unit_test(a_large_record_grows_the_buffer),
        cmocka_unit_test(a_schema_that_is_none_is_refused_at_once),
        cmocka_unit_test(versions_are_put_activated_and_reverted),
        cmocka_unit_test(an_operation_that_is_repeated_is_applied_once),
        cmocka_unit_test(an_operation_id_that_is_none_is_refused),
        cmocka_unit_test(what_an_operation_did_can_be_asked),
        cmocka_unit_test(a_write_whose_time_is_over_is_not_carried_out),
        cmocka_unit_test(learning_again_under_the_same_id_makes_no_version),
        cmocka_unit_test(what_was_told_is_there_after_a_restart),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
