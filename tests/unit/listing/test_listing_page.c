/* SPDX-License-Identifier: Apache-2.0 */
/* Counts and pages against every account looked at one by one. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/listing/listing_page.h"
#include "tests/unit/listing/listing_oracle.h"

enum { ACCOUNTS = 700 };

static struct engine_fixture fixture;
static struct engine_worker *worker;

static const char *const filters[] = {
    "employees > 500",
    "industry = 'Steel' and employees < 300",
    "tech has 'Jira' or trial = 1",
    "parent is missing",
    "industry = 'Nowhere'",
};
#define FILTERS (sizeof filters / sizeof *filters)

static int setup(void **state)
{
    (void)state;
    engine_fixture_open(&fixture);
    engine_fixture_fill(&fixture, ACCOUNTS);
    engine_fixture_learn(&fixture);
    for (unsigned i = 0; i < 70; i += 7) {
        char id[16];
        snprintf(id, sizeof id, "a%u", i);
        engine_fixture_delete(&fixture, id);
    }
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

static bool open_text(const char *text, bool scores, struct engine_expression *expression,
                      struct proto_fault *fault)
{
    return engine_expression_open(worker, engine_fixture_span(text), 0, scores, expression, fault);
}

static void counts_are_those_of_looking_at_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILTERS; i++) {
        struct engine_expression expression;
        struct proto_fault fault = {0};
        struct oracle oracle;
        uint64_t count = 0;
        assert_true(open_text(filters[i], false, &expression, &fault));
        assert_true(listing_count(worker, NULL, &expression, &count, &fault));
        oracle_read(&oracle, worker, filters[i]);
        assert_int_equal(count, oracle.count);
        oracle_fini(&oracle);
        engine_expression_close(&expression);
    }
}

/* Conditions on the score, by each of its measures. */
static void scores_between_bounds_are_counted(void **state)
{
    (void)state;
    static const struct {
        const char *filter;
        double low, high;
        bool outside;
    } cases[] = {{"fit between 20 and 60", 20, 60, false},
                 {"not fit between 20 and 60", 20, 60, true},
                 {"fit >= 20 and fit <= 60", 20, 60, false},
                 {"fit between 60 and 60.5", 60, 60.5, false}};
    const struct model_scorecard *scorecard = worker->state->active->scorecard;
    struct oracle oracle;
    oracle_read(&oracle, worker, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct engine_expression expression;
        struct proto_fault fault = {0};
        uint64_t count = 0;
        uint64_t wanted = 0;
        for (size_t a = 0; a < oracle.count; a++) {
            double fit = model_fit(scorecard, oracle.accounts[a].raw);
            wanted += (fit >= cases[i].low && fit <= cases[i].high) != cases[i].outside;
        }
        assert_true(open_text(cases[i].filter, false, &expression, &fault));
        assert_true(listing_count(worker, NULL, &expression, &count, &fault));
        assert_int_equal(count, wanted);
        assert_true(i == 3 || (wanted > 50 && wanted < oracle.count - 50));
        engine_expression_close(&expression);
    }
    oracle_fini(&oracle);
}

static void without_a_filter_every_living_account_counts(void **state)
{
    (void)state;
    struct engine_expression expression;
    struct proto_fault fault = {0};
    uint64_t count = 0;
    assert_true(open_text("", false, &expression, &fault));
    assert_true(listing_count(worker, NULL, &expression, &count, &fault));
    assert_int_equal(count, ACCOUNTS - 10);
    engine_expression_close(&expression);
}

/* All pages of a listing, one after another, against the oracle in its order. */
static void pages_must_match(const char *filter, bool best_first, size_t limit)
{
    struct engine_expression expression;
    struct proto_fault fault = {0};
    struct oracle oracle;
    struct listing_page page = {.best_first = best_first, .limit = limit};
    char after[LISTING_CURSOR_BYTES] = "";
    size_t seen = 0;
    oracle_read(&oracle, worker, filter[0] ? filter : NULL);
    if (best_first) {
        oracle_rank(&oracle);
    }
    assert_true(open_text(filter, true, &expression, &fault));
    do {
        page.after = engine_fixture_span(after);
        assert_true(listing_filter(worker, NULL, &expression, &page, &fault));
        assert_true(page.count <= limit && seen + page.count <= oracle.count);
        for (size_t i = 0; i < page.count; i++, seen++) {
            assert_int_equal(page.found[i].slot, oracle.accounts[seen].slot);
            assert_int_equal(page.found[i].raw, oracle.accounts[seen].raw);
        }
        assert_true(page.count == limit || page.next[0] == '\0');
        memcpy(after, page.next, sizeof after);
        free(page.found);
    } while (after[0] != '\0');
    assert_int_equal(seen, oracle.count);
    oracle_fini(&oracle);
    engine_expression_close(&expression);
}

static void pages_follow_each_other_without_gap_or_repeat(void **state)
{
    (void)state;
    static const size_t limits[] = {1, 7, 100, ACCOUNTS - 10, ACCOUNTS};
    for (size_t l = 0; l < sizeof limits / sizeof *limits; l++) {
        pages_must_match("", false, limits[l]);
        pages_must_match("", true, limits[l]);
        for (size_t i = 0; i < FILTERS; i++) {
            pages_must_match(filters[i], false, limits[l]);
            pages_must_match(filters[i], true, limits[l]);
        }
    }
}

static void a_cursor_of_another_listing_is_refused(void **state)
{
    (void)state;
    static const struct {
        bool best_first;
        const char *after;
    } wrong[] = {{false, "x"},   {false, "12"},   {false, "12;1"},       {false, "-1;"},
                 {false, ";"},   {false, "12:a"}, {true, "12"},          {true, "12:"},
                 {true, "a:a1"}, {true, "5;"},    {false, "4294967294;"}};
    struct engine_expression expression;
    struct proto_fault fault = {0};
    assert_true(open_text("", true, &expression, &fault));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct listing_page page = {.best_first = wrong[i].best_first,
                                    .limit = 5,
                                    .after = engine_fixture_span(wrong[i].after)};
        assert_false(listing_filter(worker, NULL, &expression, &page, &fault));
        assert_int_equal(fault.code, PROTO_BAD_FIELD);
        assert_string_equal(fault.field, "after");
        assert_null(page.found);
    }
    engine_expression_close(&expression);
}

static void a_scan_that_is_cancelled_or_late_ends(void **state)
{
    (void)state;
    struct engine_expression expression;
    struct proto_fault fault = {0};
    struct engine_job job = {.engine = fixture.engine};
    struct listing_page page = {.limit = 5};
    uint64_t count;
    assert_true(open_text(filters[0], true, &expression, &fault));
    atomic_store(&job.cancel, true);
    assert_false(listing_count(worker, &job, &expression, &count, &fault));
    assert_int_equal(fault.code, PROTO_CANCELLED);
    assert_false(listing_filter(worker, &job, &expression, &page, &fault));
    free(page.found);
    atomic_store(&job.cancel, false);
    job.deadline_ms = fixture.now_ms - 1;
    assert_false(listing_count(worker, &job, &expression, &count, &fault));
    assert_int_equal(fault.code, PROTO_DEADLINE);
    job.deadline_ms = fixture.now_ms;
    assert_true(listing_count(worker, &job, &expression, &count, &fault));
    engine_expression_close(&expression);
}

static void an_expression_says_what_it_lacks(void **state)
{
    (void)state;
    struct engine_fixture empty;
    struct engine_expression expression;
    struct proto_fault fault = {0};
    assert_false(open_text("employees >", true, &expression, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FILTER);
    assert_false(engine_expression_open(worker, engine_fixture_span("trial = 1"), 9, false,
                                        &expression, &fault));
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    assert_null(expression.filter);

    engine_fixture_open(&empty);
    struct engine_worker *bare = engine_fixture_worker(&empty);
    assert_false(
        engine_expression_open(bare, engine_fixture_span(""), 0, false, &expression, &fault));
    assert_int_equal(fault.code, PROTO_NO_SCHEMA);
    engine_worker_destroy(bare);
    engine_fixture_fill(&empty, 5);
    bare = engine_fixture_worker(&empty);
    assert_false(engine_expression_open(bare, engine_fixture_span("trial = 1"), 0, true,
                                        &expression, &fault));
    assert_int_equal(fault.code, PROTO_NO_ICP);
    assert_false(engine_expression_open(bare, engine_fixture_span("fit > 1"), 0, false, &expression,
                                        &fault));
    assert_int_equal(fault.code, PROTO_NO_ICP);
    assert_true(engine_expression_open(bare, engine_fixture_span("trial = 1"), 0, false,
                                       &expression, &fault));
    assert_null(expression.document);
    engine_expression_close(&expression);
    engine_worker_destroy(bare);
    engine_fixture_close(&empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_those_of_looking_at_each),
        cmocka_unit_test(scores_between_bounds_are_counted),
        cmocka_unit_test(without_a_filter_every_living_account_counts),
        cmocka_unit_test(pages_follow_each_other_without_gap_or_repeat),
        cmocka_unit_test(a_cursor_of_another_listing_is_refused),
        cmocka_unit_test(a_scan_that_is_cancelled_or_late_ends),
        cmocka_unit_test(an_expression_says_what_it_lacks),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
