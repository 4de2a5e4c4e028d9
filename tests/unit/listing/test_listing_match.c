/* SPDX-License-Identifier: Apache-2.0 */
/* Names among stored accounts: every account is seen, deleted ones are not, those that are called
 * alike are told, and countries speak where a field is named. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "server/listing/listing_match.h"
#include "tests/unit/engine/engine_fixture.h"

static struct engine_fixture fixture;
static struct engine_worker *worker;

static const char schema[] = "{\"name\":\"name\",\"fields\":["
                             "{\"name\":\"name\",\"type\":\"category\"},"
                             "{\"name\":\"land\",\"type\":\"category\"}]}";

static void put(const char *id, const char *name, const char *land)
{
    const char *words[] = {"name", name, "land", land, NULL};
    engine_fixture_put(&fixture, id, words);
}

static int setup(void **state)
{
    (void)state;
    engine_fixture_open(&fixture);
    engine_fixture_schema(&fixture, schema);
    put("gone", "Anvil Ltd", "GB");
    put("anvil", "Anvil Limited", "GB");
    put("twin", "Twin Works", "GB");
    put("twin-us", "Twin Works", "US");
    put("nameless", "", "GB");
    for (unsigned i = 0; i < 300; i++) {
        char id[16];
        char name[32];
        snprintf(id, sizeof id, "f%u", i);
        snprintf(name, sizeof name, "Filler number%u", 1000 + i);
        put(id, name, "FR");
    }
    engine_fixture_delete(&fixture, "gone");
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

static struct identity_matcher *match(const struct listing_match_row *rows, size_t count,
                                      bool countries)
{
    struct proto_fault fault;
    struct listing_match request = {.rows = rows, .row_count = count, .candidates = 3};
    request.name = worker->state->schema->name;
    request.country =
        countries ? feature_schema_find(worker->state->schema, engine_fixture_span("land")) : NULL;
    assert_true(listing_match(worker, NULL, &request, &fault));
    assert_int_equal(request.named, 303);
    return request.matcher;
}

/* The best candidate is this account, with this match. */
static void expect(const struct identity_matcher *matcher, size_t row, const char *id,
                   enum identity_match wanted)
{
    size_t count = 0;
    bool common = false;
    struct feature_record record;
    struct proto_fault fault;
    const struct identity_candidate *list = identity_matcher_found(matcher, row, &count, &common);
    assert_true(count > 0);
    assert_true(engine_record(worker, list[0].slot, &record, &fault));
    assert_true(proto_span_is(record.id, id));
    assert_int_equal(identity_candidate_match(&list[0]), wanted);
}

static void accounts_are_found_by_their_names(void **state)
{
    (void)state;
    static const char *const names[] = {"ANVIL", "Anvill", "Twin Works", "Filler Number1234",
                                        "None"};
    struct listing_match_row rows[5];
    for (size_t i = 0; i < 5; i++) {
        rows[i] =
            (struct listing_match_row){engine_fixture_span(names[i]), engine_fixture_span("")};
    }
    struct identity_matcher *matcher = match(rows, 5, false);
    size_t count = 1;
    bool common = true;
    expect(matcher, 0, "anvil", IDENTITY_MATCH_SAME);
    expect(matcher, 1, "anvil", IDENTITY_MATCH_MAYBE);
    expect(matcher, 2, "twin", IDENTITY_MATCH_MAYBE);
    expect(matcher, 3, "f234", IDENTITY_MATCH_SAME);
    (void)identity_matcher_found(matcher, 4, &count, &common);
    assert_int_equal(count, 0);
    assert_false(common);
    identity_matcher_destroy(matcher);
}

static void a_country_tells_namesakes_apart(void **state)
{
    (void)state;
    const struct listing_match_row rows[] = {
        {engine_fixture_span("Twin Works"), engine_fixture_span("us")},
        {engine_fixture_span("Anvil"), engine_fixture_span("FR")}};
    struct identity_matcher *matcher = match(rows, 2, true);
    expect(matcher, 0, "twin-us", IDENTITY_MATCH_MAYBE);
    expect(matcher, 1, "anvil", IDENTITY_MATCH_MAYBE);
    identity_matcher_destroy(matcher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts_are_found_by_their_names),
        cmocka_unit_test(a_country_tells_namesakes_apart),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
