/* SPDX-License-Identifier: Apache-2.0 */
/* Identity entries as the engine takes them: what each act needs is asked for before the writer
 * sees it, keys find the records that have them; and what is read of entries and source records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/engine/sources.h"
#include "tests/unit/engine/engine_await.h"
#include "tests/unit/engine/engine_fixture.h"

static struct engine_fixture fixture;
static struct engine_worker *worker;

static int setup(void **state)
{
    (void)state;
    static const char *const words[] = {"key", "crm:1", NULL};
    struct proto_fault fault = {0};
    engine_fixture_open(&fixture);
    engine_fixture_fill(&fixture, 5);
    engine_fixture_put(&fixture, "keyed", words);
    worker = engine_fixture_worker(&fixture);
    return !engine_worker_refresh(worker, &fault);
}

static int teardown(void **state)
{
    (void)state;
    engine_worker_destroy(worker);
    engine_fixture_close(&fixture);
    return 0;
}

static struct identity_entry entry_of(enum identity_act act, const char *a, const char *b,
                                      uint32_t what)
{
    return (struct identity_entry){.act = act,
                                   .what = what,
                                   .ids = {proto_span_text(a), proto_span_text(b)},
                                   .author = proto_span_text("test")};
}

static struct engine_written say(enum identity_act act, const char *a, const char *b, uint32_t what)
{
    struct proto_fault fault = {0};
    struct engine_await await;
    const struct identity_entry entry = entry_of(act, a, b, what);
    struct engine_ingest *ingest = engine_ingest_begin(&fault);
    assert_non_null(ingest);
    assert_true(engine_ingest_identity(ingest, &entry, &fault));
    engine_await_begin(&await);
    bool given = engine_ingest_commit(ingest, fixture.engine, &await.write, &fault);
    return engine_await_end(&await, worker, given, &fault);
}

static uint32_t slot_of(const char *id)
{
    struct proto_fault fault = {0};
    const struct engine_name name = {.id = proto_span_text(id)};
    return engine_find(worker, &name, &fault);
}

static enum engine_entry_state state_of(uint32_t number)
{
    struct engine_entry entry;
    struct proto_fault fault = {0};
    assert_true(engine_entry(worker, number, &entry, &fault));
    return entry.state;
}

static void an_act_says_just_what_it_needs(void **state)
{
    const struct {
        struct identity_entry entry;
        const char *field;
    } wrong[] = {{entry_of(IDENTITY_MERGE, "a0", "", 0), "other"},
                 {entry_of(IDENTITY_SPLIT, "", "", 0), "account"},
                 {entry_of(IDENTITY_PIN, "a0", "a1", 0), "other"},
                 {entry_of(IDENTITY_UNDO, "", "", 0), "entry"},
                 {entry_of(IDENTITY_NEVER, "a0", "a1", 3), "entry"}};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct proto_fault fault = {0};
        struct engine_ingest *ingest = engine_ingest_begin(&fault);
        assert_non_null(ingest);
        assert_false(engine_ingest_identity(ingest, &wrong[i].entry, &fault));
        assert_string_equal(fault.field, wrong[i].field);
        engine_ingest_drop(ingest);
    }
}

static void records_and_entries_are_read_as_they_stand(void **state)
{
    uint32_t slots[PROTO_IDENTITY_SOURCES_MAX];
    uint32_t numbers[8];
    uint32_t count = 0;
    size_t entries = 0;
    struct proto_fault fault = {0};
    (void)state;
    uint64_t records = engine_records(worker);
    assert_int_equal(say(IDENTITY_MERGE, "a0", "crm:1", 0).fault.code, PROTO_OK);
    assert_int_equal(slot_of("keyed"), slot_of("a0"));
    assert_true(engine_sources(worker, slot_of("a0"), slots, &count, &fault));
    assert_int_equal(count, 2);
    const struct engine_name key = {.key = proto_span_text("crm:1")};
    assert_int_equal(engine_source_find(worker, slot_of("a0"), &key, &fault), slots[1]);
    assert_int_equal(engine_records(worker), records);
    assert_int_equal(engine_records_linked(worker), 2);
    assert_int_equal(say(IDENTITY_SPLIT, "keyed", "", 0).fault.code, PROTO_OK);
    assert_int_equal(state_of(1), ENGINE_ENTRY_IDLE);
    assert_int_equal(say(IDENTITY_UNDO, "", "", 2).fault.code, PROTO_OK);
    assert_int_equal(state_of(1), ENGINE_ENTRY_STANDS);
    assert_int_equal(state_of(2), ENGINE_ENTRY_TAKEN);
    assert_true(engine_entries_of(worker, slot_of("a0"), numbers, 8, &entries, &fault));
    assert_int_equal(entries, 3);
    assert_int_equal(numbers[0], 3); /* the undo, the newest first */
    assert_int_equal(engine_entries(worker), 3);
    assert_true(engine_fixture_delete(&fixture, "keyed"));
    assert_true(engine_worker_refresh(worker, &fault));
    assert_int_equal(state_of(1), ENGINE_ENTRY_GONE);
    assert_int_equal(engine_records_linked(worker), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_act_says_just_what_it_needs),
        cmocka_unit_test(records_and_entries_are_read_as_they_stand),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
