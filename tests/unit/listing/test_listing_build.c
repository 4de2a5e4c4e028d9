/* SPDX-License-Identifier: Apache-2.0 */
/* A list from its making to its check against the data of today. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/listing/listing.h"
#include "server/tal/tal_document.h"
#include "tests/unit/listing/listing_oracle.h"

enum { ACCOUNTS = 300, K = 25 };

struct listed {
    struct engine_fixture fixture;
    struct engine_worker *worker;
};

static void listed_open(struct listed *listed)
{
    engine_fixture_open(&listed->fixture);
    engine_fixture_fill(&listed->fixture, ACCOUNTS);
    engine_fixture_learn(&listed->fixture);
    listed->worker = engine_fixture_worker(&listed->fixture);
}

static void listed_close(struct listed *listed)
{
    engine_worker_destroy(listed->worker);
    engine_fixture_close(&listed->fixture);
}

static bool build(struct listed *listed, const char *name, const char *filter,
                  struct listing_built *built, struct proto_fault *fault)
{
    struct listing_request request = {.name = engine_fixture_span(name),
                                      .filter = engine_fixture_span(filter),
                                      .note = engine_fixture_span("for the test"),
                                      .k = K};
    bool good = listing_build(listed->worker, NULL, &request, built, fault);
    assert_true(engine_worker_refresh(listed->worker, fault));
    return good;
}

static int64_t whole(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static void a_list_says_all_of_itself(void **state)
{
    (void)state;
    struct listed listed;
    struct listing_built built;
    struct proto_fault fault = {0};
    struct proto_span text;
    struct oracle oracle;
    listed_open(&listed);
    assert_true(build(&listed, "first", "employees > 100", &built, &fault));
    assert_int_equal(built.count, K);
    assert_int_equal(built.icp, 1);
    json_t *document = listing_open(listed.worker, engine_fixture_span("first"), &text, &fault);
    assert_non_null(document);
    assert_true(tal_document_sound(text));
    assert_string_equal(json_string_value(json_object_get(document, "digest")), built.digest);
    assert_string_equal(json_string_value(json_object_get(document, "note")), "for the test");
    assert_string_equal(json_string_value(json_object_get(document, "created")),
                        "2023-11-14T22:13:20Z");
    assert_string_equal(json_string_value(json_object_get(document, "filter")), "employees > 100");
    assert_int_equal(whole(document, "count"), K);
    const json_t *entries = json_object_get(document, "entries");
    oracle_read(&oracle, listed.worker, "employees > 100");
    oracle_rank(&oracle);
    for (size_t i = 0; i < K; i++) {
        const json_t *entry = json_array_get(entries, i);
        assert_int_equal(whole(entry, "rank"), i + 1);
        assert_int_equal(whole(entry, "raw"), oracle.accounts[i].raw);
        assert_true(json_array_size(json_object_get(entry, "reasons")) > 0);
        assert_true(engine_state_on_tal(listed.worker->state, oracle.accounts[i].slot));
    }
    assert_false(engine_state_on_tal(listed.worker->state, oracle.accounts[K].slot));
    oracle_fini(&oracle);
    json_decref(document);
    listed_close(&listed);
}

static void a_list_is_there_after_a_restart(void **state)
{
    (void)state;
    struct listed listed;
    struct listing_built built;
    struct proto_fault fault = {0};
    listed_open(&listed);
    assert_true(build(&listed, "kept", "", &built, &fault));
    engine_worker_destroy(listed.worker);
    engine_fixture_again(&listed.fixture);
    listed.worker = engine_fixture_worker(&listed.fixture);
    json_t *document = listing_open(listed.worker, engine_fixture_span("kept"), NULL, &fault);
    assert_non_null(document);
    assert_string_equal(json_string_value(json_object_get(document, "digest")), built.digest);
    json_decref(document);
    assert_false(build(&listed, "kept", "", &built, &fault));
    assert_int_equal(fault.code, PROTO_CONFLICT);
    listed_close(&listed);
}

static void names_that_cannot_be_are_refused(void **state)
{
    (void)state;
    struct listed listed;
    struct listing_built built;
    struct proto_fault fault = {0};
    char name[PROTO_TAL_NAME_BYTES_MAX + 2];
    listed_open(&listed);
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    const char *const wrong[] = {"", name, "a\nb", "a\x7f"};
    for (size_t i = 0; i < 4; i++) {
        fault = (struct proto_fault){0};
        assert_false(build(&listed, wrong[i], "", &built, &fault));
        assert_int_equal(fault.code, PROTO_BAD_FIELD);
        assert_string_equal(fault.field, "name");
    }
    name[PROTO_TAL_NAME_BYTES_MAX] = '\0';
    assert_true(build(&listed, name, "", &built, &fault));
    assert_null(listing_open(listed.worker, engine_fixture_span("gone"), NULL, &fault));
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    listed_close(&listed);
}

static void a_list_of_nobody_is_not_made(void **state)
{
    (void)state;
    struct listed listed;
    struct listing_built built;
    struct proto_fault fault = {0};
    listed_open(&listed);
    assert_false(build(&listed, "empty", "employees > 100000", &built, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FIELD);
    assert_string_equal(fault.field, "filter");
    assert_true(build(&listed, "empty", "", &built, &fault)); /* the name is free still */
    listed_close(&listed);
}

static void a_scan_that_is_given_up_stores_nothing(void **state)
{
    (void)state;
    struct listed listed;
    struct listing_built built;
    struct proto_fault fault = {0};
    listed_open(&listed);
    struct engine_job job = {.engine = listed.fixture.engine};
    atomic_store(&job.cancel, true);
    struct listing_request request = {.name = engine_fixture_span("never"), .k = K};
    assert_false(listing_build(listed.worker, &job, &request, &built, &fault));
    assert_int_equal(fault.code, PROTO_CANCELLED);
    assert_true(engine_worker_refresh(listed.worker, &fault));
    assert_null(
        engine_lists_find(listed.worker->state->lists, engine_fixture_span("never"), &fault));
    listed_close(&listed);
}

static void check(struct listed *listed, const char *name, struct listing_checked *checked)
{
    struct proto_fault fault = {0};
    assert_true(engine_worker_refresh(listed->worker, &fault));
    assert_true(listing_check(listed->worker, NULL, engine_fixture_span(name), checked, &fault));
    assert_true(checked->rebuilt);
}

static void a_check_finds_what_changed_since(void **state)
{
    (void)state;
    struct listed listed;
    struct listing_built built;
    struct listing_checked checked;
    struct proto_fault fault = {0};
    struct oracle oracle;
    char first[16];
    char second[16];
    listed_open(&listed);
    assert_true(build(&listed, "checked", "", &built, &fault));
    check(&listed, "checked", &checked);
    assert_int_equal(checked.changed, 0);
    assert_int_equal(checked.gone, 0);
    assert_int_equal(json_array_size(checked.changes), 0);
    assert_int_equal(json_array_size(checked.entering) + json_array_size(checked.leaving), 0);
    listing_checked_fini(&checked);

    oracle_read(&oracle, listed.worker, NULL);
    oracle_rank(&oracle);
    snprintf(first, sizeof first, "%.*s", (int)oracle.accounts[0].id.bytes,
             (const char *)oracle.accounts[0].id.data);
    snprintf(second, sizeof second, "%.*s", (int)oracle.accounts[1].id.bytes,
             (const char *)oracle.accounts[1].id.data);
    oracle_fini(&oracle);
    assert_true(engine_fixture_delete(&listed.fixture, first));
    engine_fixture_put(
        &listed.fixture, second,
        (const char *const[]){"industry", "Steel", "employees", "1", "trial", "0", NULL});
    check(&listed, "checked", &checked);
    assert_int_equal(checked.gone, 1);
    assert_int_equal(checked.changed, 1);
    assert_int_equal(json_array_size(checked.changes), 2);
    assert_true(json_is_null(json_object_get(json_array_get(checked.changes, 0), "fit_now")));
    assert_int_equal(json_array_size(checked.leaving), 2);
    assert_int_equal(json_array_size(checked.entering), 2);
    assert_string_equal(json_string_value(json_array_get(checked.leaving, 0)), first);
    listing_checked_fini(&checked);
    assert_false(
        listing_check(listed.worker, NULL, engine_fixture_span("other"), &checked, &fault));
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    listing_checked_fini(&checked);
    listed_close(&listed);
}

static void lists_of_a_version_count_while_it_is_active(void **state)
{
    (void)state;
    struct listed listed;
    struct listing_built built;
    struct proto_fault fault = {0};
    const uint32_t *slots;
    size_t count;
    listed_open(&listed);
    assert_true(build(&listed, "of one", "", &built, &fault));
    assert_true(engine_state_list_slots(listed.worker->state, engine_fixture_span(""), &slots,
                                        &count, &fault));
    assert_int_equal(count, K);
    assert_int_equal(engine_fixture_learn(&listed.fixture), 2);
    assert_true(engine_worker_refresh(listed.worker, &fault));
    assert_true(engine_state_list_slots(listed.worker->state, engine_fixture_span(""), &slots,
                                        &count, &fault));
    assert_int_equal(count, 0); /* a list of version 1 */
    assert_true(engine_state_list_slots(listed.worker->state, engine_fixture_span("of one"), &slots,
                                        &count, &fault));
    assert_int_equal(count, K);
    assert_false(engine_state_list_slots(listed.worker->state, engine_fixture_span("none"), &slots,
                                         &count, &fault));
    listed_close(&listed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_says_all_of_itself),
        cmocka_unit_test(a_list_is_there_after_a_restart),
        cmocka_unit_test(names_that_cannot_be_are_refused),
        cmocka_unit_test(a_list_of_nobody_is_not_made),
        cmocka_unit_test(a_scan_that_is_given_up_stores_nothing),
        cmocka_unit_test(a_check_finds_what_changed_since),
        cmocka_unit_test(lists_of_a_version_count_while_it_is_active),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
