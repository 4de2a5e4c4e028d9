/* SPDX-License-Identifier: Apache-2.0 */
/* Plans of a store: an entry is added once, whatever the clock does; what is cancelled, of a
 * history that is wrong, or beyond a limit adds nothing; and one plan that cannot be read hides no
 * other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/commitment/commitment.h"
#include "tests/unit/engine/engine_fixture.h"

struct planned {
    struct engine_fixture fixture;
    struct engine_worker *worker;
};

static int planned_open(void **state)
{
    struct planned *planned = calloc(1, sizeof *planned);
    assert_non_null(planned);
    engine_fixture_open(&planned->fixture);
    engine_fixture_fill(&planned->fixture, 300);
    engine_fixture_learn(&planned->fixture);
    planned->worker = engine_fixture_worker(&planned->fixture);
    *state = planned;
    return 0;
}

static int planned_close(void **state)
{
    struct planned *planned = *state;
    engine_worker_destroy(planned->worker);
    engine_fixture_close(&planned->fixture);
    free(planned);
    return 0;
}

static const char create[] = "{\"from\":\"2027-01-01\",\"to\":\"2027-12-31\",\"layers\":[\"a\"],"
                             "\"stages\":[\"b\"]}";

static bool add(struct planned *planned, const struct engine_job *job, const char *name,
                const char *act, const char *body, struct commitment_added *added,
                struct proto_fault *fault)
{
    const struct commitment_entry entry = {.name = engine_fixture_span(name),
                                           .act = engine_fixture_span(act),
                                           .body = engine_fixture_span(body)};
    *fault = (struct proto_fault){.code = PROTO_OK};
    bool good = commitment_add(planned->worker, job, &entry, added, fault);
    struct proto_fault fresh;
    assert_true(engine_worker_refresh(planned->worker, &fresh));
    return good;
}

static void added(struct planned *planned, const char *name, const char *act, const char *body)
{
    struct commitment_added one;
    struct proto_fault fault;
    if (!add(planned, NULL, name, act, body, &one, &fault)) {
        fail_msg("%s %s: %s", name, act, fault.message);
    }
}

static void refused(struct planned *planned, const char *name, const char *act, const char *body,
                    enum proto_error code)
{
    struct commitment_added one;
    struct proto_fault fault;
    uint32_t before = store_view_documents(planned->worker->view, STORE_DOCUMENT_TERM);
    assert_false(add(planned, NULL, name, act, body, &one, &fault));
    assert_int_equal(fault.code, code);
    assert_int_equal(store_view_documents(planned->worker->view, STORE_DOCUMENT_TERM), before);
}

/* A line as a document of the store, as a copy of another store brings it. */
static void line_put(struct planned *planned, const char *line)
{
    struct store_batch *batch = store_batch_create();
    struct store_result result;
    struct proto_fault fault = {0};
    struct store_document document = {
        .kind = STORE_DOCUMENT_TERM,
        .number = store_view_documents(planned->worker->view, STORE_DOCUMENT_TERM) + 1,
        .text = engine_fixture_span(line)};
    assert_true(store_batch_document(batch, &document, &fault));
    assert_true(store_submit_wait(engine_store(planned->fixture.engine), batch, &result));
    assert_true(engine_worker_refresh(planned->worker, &fault));
}

static void what_the_server_knows_is_filled_in(void **state)
{
    struct planned *planned = *state;
    struct commitment_seen seen;
    struct proto_fault fault = {0};
    added(planned, "2027", "create", create);
    assert_true(
        commitment_see(planned->worker, NULL, engine_fixture_span("2027"), 0, 10, &seen, &fault));
    const json_t *icp = json_object_get(seen.plan.terms, "icp");
    assert_int_equal(json_integer_value(json_object_get(icp, "version")), 1);
    assert_int_equal(json_string_length(json_object_get(icp, "sha256")), TERM_HASH_HEX);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.line_count, 1);
    assert_int_equal(seen.wrong.code, PROTO_OK);
    commitment_seen_fini(&seen);
    assert_false(
        commitment_see(planned->worker, NULL, engine_fixture_span("027"), 0, 10, &seen, &fault));
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    commitment_seen_fini(&seen);
}

static void a_clock_that_was_put_back_takes_no_entry_back(void **state)
{
    static const int64_t clocks[] = {1800000000000, 1700000000000, -5, 1900000000000};
    struct planned *planned = *state;
    struct commitment_seen seen;
    struct proto_fault fault = {0};
    int64_t newest = 0;
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        atomic_store(&planned->fixture.now_ms, clocks[i]);
        added(planned, "2027", i == 0 ? "create" : "validate",
              i == 0 ? create : "{\"evidence\":\"x\"}");
        assert_true(commitment_see(planned->worker, NULL, engine_fixture_span("2027"), 0, 0, &seen,
                                   &fault));
        assert_int_equal(seen.wrong.code, PROTO_OK);
        assert_true(seen.plan.at_ms >= newest);
        newest = seen.plan.at_ms;
        commitment_seen_fini(&seen);
    }
    assert_int_equal(newest, 1900000000000);
}

static void an_operation_is_applied_once(void **state)
{
    struct planned *planned = *state;
    struct commitment_entry entry = {.name = engine_fixture_span("2027"),
                                     .act = engine_fixture_span("create"),
                                     .body = engine_fixture_span(create)};
    struct commitment_added first;
    struct commitment_added again;
    struct proto_fault fault = {0};
    entry.operation.id = engine_fixture_span("op-1");
    entry.operation.digest = 7;
    assert_true(commitment_add(planned->worker, NULL, &entry, &first, &fault));
    assert_false(first.repeated);
    assert_true(commitment_add(planned->worker, NULL, &entry, &again, &fault));
    assert_true(again.repeated);
    assert_string_equal(again.hash, first.hash);
    assert_int_equal(again.entry, 1);
    entry.operation.digest = 8;
    assert_false(commitment_add(planned->worker, NULL, &entry, &again, &fault));
    assert_true(engine_worker_refresh(planned->worker, &fault));
    assert_int_equal(store_view_documents(planned->worker->view, STORE_DOCUMENT_TERM), 1);
}

/* The entry that was there when it was made is not the newest any more: a signature over it would
 * make two heads. */
static void a_signature_over_an_older_head_is_refused(void **state)
{
    static const char key[] = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    struct planned *planned = *state;
    struct commitment_added one;
    struct proto_fault fault;
    char text[512];
    added(planned, "2027", "create", create);
    snprintf(text, sizeof text, "{\"function\":\"sales\",\"person\":\"Ann\",\"key\":\"%s\"}", key);
    added(planned, "2027", "signatory", text);
    assert_true(add(planned, NULL, "2027", "validate", "{\"evidence\":\"x\"}", &one, &fault));
    added(planned, "2027", "validate", "{\"evidence\":\"y\"}");
    snprintf(text, sizeof text, "{\"covers\":\"%s\",\"function\":\"sales\",\"signature\":\"%s%s\"}",
             one.hash, key, key);
    refused(planned, "2027", "sign", text, PROTO_CONFLICT);
}

static void what_cannot_be_an_entry_adds_nothing(void **state)
{
    struct planned *planned = *state;
    added(planned, "2027", "create", create);
    refused(planned, "2027", "create", create, PROTO_CONFLICT);
    refused(planned, "2027", "validate", "{\"evidence\":\"a\\u0000b\"}", PROTO_BAD_FIELD);
    refused(planned, "2027", "validate", "{\"evidence\":\"a\\u001bb\"}", PROTO_BAD_FIELD);
    refused(planned, "2027", "validate", "{\"evidence\":1e99}", PROTO_BAD_FIELD);
    refused(planned, "2027", "validate", "[]", PROTO_BAD_FIELD);
    refused(planned, "2027", "validate", "{", PROTO_BAD_FIELD);
    refused(planned, "2027", "list", "{\"tal\":\"none\"}", PROTO_NOT_FOUND);
    refused(planned, "2028", "validate", "{\"evidence\":\"x\"}", PROTO_NOT_FOUND);
    refused(planned, "20\n28", "create", create, PROTO_BAD_FIELD);
    const struct commitment_entry zero = {.name = engine_fixture_span("2028"),
                                          .act = {(const uint8_t *)"create\0x", 8},
                                          .body = engine_fixture_span(create)};
    struct commitment_added one;
    struct proto_fault fault = {0};
    assert_false(commitment_add(planned->worker, NULL, &zero, &one, &fault));
    assert_string_equal(fault.field, "act");
}

static void what_was_cancelled_adds_nothing(void **state)
{
    struct planned *planned = *state;
    struct engine_job job = {.engine = planned->fixture.engine};
    struct commitment_added one;
    struct commitment_list list;
    struct commitment_seen seen;
    struct proto_fault fault;
    assert_true(add(planned, &job, "2027", "create", create, &one, &fault));
    atomic_store(&job.cancel, true);
    assert_false(add(planned, &job, "2027", "validate", "{\"evidence\":\"x\"}", &one, &fault));
    assert_int_equal(fault.code, PROTO_CANCELLED);
    assert_int_equal(store_view_documents(planned->worker->view, STORE_DOCUMENT_TERM), 1);
    assert_false(
        commitment_see(planned->worker, &job, engine_fixture_span("2027"), 0, 1, &seen, &fault));
    commitment_seen_fini(&seen);
    assert_false(commitment_list(planned->worker, &job, &list, &fault));
    commitment_list_fini(&list);
}

/* Entries of another store may be anything that has the form of a line. */
static void one_plan_that_is_wrong_hides_no_other(void **state)
{
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
    struct planned *planned = *state;
    struct commitment_list list;
    struct proto_fault fault = {0};
    char line[512];
    added(planned, "good", "create", create);
    snprintf(
        line, sizeof line,
        "{\"entry\":{\"act\":\"create\",\"at_ms\":1,\"body\":{},\"by\":\"\",\"number\":1,\"plan\":"
        "\"bad\"},\"hash\":\"%s\"}",
        zeros);
    line_put(planned, line);
    snprintf(
        line, sizeof line,
        "{\"entry\":{\"act\":\"create\",\"at_ms\":1,\"body\":{},\"by\":\"\",\"number\":1,\"plan\":"
        "\"\"},\"hash\":\"%s\"}",
        zeros);
    line_put(planned, line);
    line_put(planned, "no line at all");
    assert_true(commitment_list(planned->worker, NULL, &list, &fault));
    assert_int_equal(list.count, 2);
    assert_int_equal(list.lost, 2);
    assert_int_equal(list.plans[0].wrong.code, PROTO_OK);
    assert_int_equal(list.plans[1].wrong.code, PROTO_CORRUPT);
    commitment_list_fini(&list);
    added(planned, "good", "validate", "{\"evidence\":\"x\"}");
    refused(planned, "bad", "validate", "{\"evidence\":\"x\"}", PROTO_CORRUPT);
}

static void plans_have_a_limit(void **state)
{
    struct planned *planned = *state;
    struct store_batch *batch = store_batch_create();
    struct store_result result;
    struct proto_fault fault = {0};
    for (uint32_t i = 0; i < PROTO_PLANS_MAX; i++) { /* counted by their beginnings */
        struct store_document document = {
            .kind = STORE_DOCUMENT_TERM,
            .number = i + 1,
            .text = engine_fixture_span("{\"entry\":{\"act\":\"create\",\"plan\":\"p\"}")};
        assert_true(store_batch_document(batch, &document, &fault));
    }
    assert_true(store_submit_wait(engine_store(planned->fixture.engine), batch, &result));
    assert_true(engine_worker_refresh(planned->worker, &fault));
    refused(planned, "one more", "create", create, PROTO_LIMIT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, planned_open, planned_close)
    const struct CMUnitTest tests[] = {
        TEST(what_the_server_knows_is_filled_in),
        TEST(a_clock_that_was_put_back_takes_no_entry_back),
        TEST(an_operation_is_applied_once),
        TEST(a_signature_over_an_older_head_is_refused),
        TEST(what_cannot_be_an_entry_adds_nothing),
        TEST(what_was_cancelled_adds_nothing),
        TEST(one_plan_that_is_wrong_hides_no_other),
        TEST(plans_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
