/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing the accounts of a list against the plainest way to do it: by rank, one by one. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/listing/listing_part.h"
#include "server/listing/listing_select.h"
#include "tests/unit/listing/listing_oracle.h"

enum { ACCOUNTS = 400, INDUSTRY = 0, EMPLOYEES = 1, TRIAL = 3 };

static struct engine_fixture fixture;
static struct engine_worker *worker;

static int setup(void **state)
{
    (void)state;
    engine_fixture_open(&fixture);
    engine_fixture_fill(&fixture, ACCOUNTS);
    /* Accounts whose industry is not known. */
    for (unsigned i = 0; i < 40; i++) {
        char id[16];
        char people[16];
        snprintf(id, sizeof id, "m%u", i);
        snprintf(people, sizeof people, "%u", 400 + i * 20);
        engine_fixture_put(&fixture, id, (const char *const[]){"employees", people, NULL});
    }
    engine_fixture_learn(&fixture);
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

static struct listing_request request_of(size_t k)
{
    return (struct listing_request){.k = k};
}

static void the_best_are_taken(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 50, ACCOUNTS + 40, 5000};
    for (size_t i = 0; i < 4; i++) {
        struct listing_request request = request_of(sizes[i]);
        struct listing_selection selection;
        struct proto_fault fault = {0};
        struct oracle oracle;
        request.filter = engine_fixture_span("employees > 200");
        assert_true(listing_select(worker, NULL, &request, &selection, &fault));
        oracle_read(&oracle, worker, "employees > 200");
        oracle_rank(&oracle);
        assert_int_equal(selection.matched, oracle.count);
        assert_int_equal(selection.count, oracle.count < sizes[i] ? oracle.count : sizes[i]);
        for (size_t r = 0; r < selection.count; r++) {
            assert_int_equal(selection.picks[r].account.slot, oracle.accounts[r].slot);
            assert_int_equal(selection.picks[r].segment, LISTING_NONE);
            assert_int_equal(selection.picks[r].why, LISTING_ASSIGNED);
        }
        oracle_fini(&oracle);
        listing_selection_fini(&selection);
    }
}

static bool selected(const struct listing_selection *selection, const char *id)
{
    for (size_t i = 0; i < selection->count; i++) {
        if (proto_span_equal(selection->picks[i].account.id, engine_fixture_span(id))) {
            return true;
        }
    }
    return false;
}

static void who_is_excluded_by_any_name_is_not_taken(void **state)
{
    (void)state;
    struct listing_request request = request_of(1000);
    struct listing_selection selection;
    struct proto_fault fault = {0};
    const struct proto_span ids[] = {engine_fixture_span("a1"), engine_fixture_span("nobody")};
    const struct proto_span keys[] = {engine_fixture_span("domain:company2.example"),
                                      engine_fixture_span("domain:company1.example")};
    const struct proto_span domains[] = {engine_fixture_span("https://www.company3.example/about"),
                                         engine_fixture_span("unknown.example")};
    request.ids = ids;
    request.id_count = 2;
    request.keys = keys;
    request.key_count = 2;
    request.domains = domains;
    request.domain_count = 2;
    assert_true(listing_select(worker, NULL, &request, &selection, &fault));
    assert_int_equal(selection.excluded, 3);
    assert_int_equal(selection.count, ACCOUNTS + 40 - 3);
    assert_false(selected(&selection, "a1") || selected(&selection, "a2") ||
                 selected(&selection, "a3"));
    assert_true(selected(&selection, "a4"));
    listing_selection_fini(&selection);

    const struct proto_span bad[] = {engine_fixture_span("fine.example"),
                                     engine_fixture_span("no domain")};
    request.domains = bad;
    assert_false(listing_select(worker, NULL, &request, &selection, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FIELD);
    listing_selection_fini(&selection);
}

static bool value_same(const struct feature_value *a, const struct feature_value *b)
{
    return a->present == b->present &&
           (!a->present ||
            (a->type == FEATURE_FLAG ? a->flag == b->flag : proto_span_equal(a->text, b->text)));
}

static void quota_must_hold(const char *field, size_t id, size_t per_value, size_t k)
{
    struct listing_request request = request_of(k);
    struct listing_selection selection;
    struct proto_fault fault = {0};
    struct oracle oracle;
    size_t taken = 0;
    request.quota_field = engine_fixture_span(field);
    request.quota = per_value;
    assert_true(listing_select(worker, NULL, &request, &selection, &fault));
    oracle_read(&oracle, worker, NULL);
    oracle_rank(&oracle);
    for (size_t i = 0; i < oracle.count && taken < k; i++) {
        size_t of_value = 0;
        for (size_t t = 0; t < taken; t++) {
            /* The taken ones stand at the front. */
            of_value += value_same(&oracle.accounts[t].values[id], &oracle.accounts[i].values[id]);
        }
        if (of_value < per_value) {
            struct oracle_account account = oracle.accounts[i];
            memmove(&oracle.accounts[taken + 1], &oracle.accounts[taken],
                    (i - taken) * sizeof account);
            oracle.accounts[taken] = account;
            assert_true(taken < selection.count);
            assert_int_equal(selection.picks[taken].account.slot, account.slot);
            taken++;
        }
    }
    assert_int_equal(selection.count, taken);
    oracle_fini(&oracle);
    listing_selection_fini(&selection);
}

static void a_quota_bounds_each_value_and_missing_is_one(void **state)
{
    (void)state;
    quota_must_hold("industry", INDUSTRY, 1, 100);
    quota_must_hold("industry", INDUSTRY, 10, 100);
    quota_must_hold("industry", INDUSTRY, 500, 100);
    quota_must_hold("trial", TRIAL, 30, 100);
    quota_must_hold("parent", 5, 3, 10); /* nobody has one */
}

static void a_quota_wants_a_field_with_few_values(void **state)
{
    (void)state;
    static const char *const wrong[] = {"employees", "tech", "nothing"};
    for (size_t i = 0; i < 3; i++) {
        struct listing_request request = request_of(5);
        struct listing_selection selection;
        struct proto_fault fault = {0};
        request.quota_field = engine_fixture_span(wrong[i]);
        request.quota = 2;
        assert_false(listing_select(worker, NULL, &request, &selection, &fault));
        assert_int_equal(fault.code, PROTO_BAD_FIELD);
        assert_string_equal(fault.field, "quota_field");
        listing_selection_fini(&selection);
    }
}

static void an_account_goes_to_the_first_segment_with_room(void **state)
{
    (void)state;
    const struct listing_part segments[] = {
        {engine_fixture_span("large"), engine_fixture_span("employees > 800"), 15},
        {engine_fixture_span("software"), engine_fixture_span("industry = 'Software'"), 20},
        {engine_fixture_span("good"), engine_fixture_span("fit >= 80"), 5},
    };
    struct listing_request request = request_of(1000);
    struct listing_selection selection;
    struct proto_fault fault = {0};
    struct oracle oracle;
    size_t room[] = {15, 20, 5};
    size_t at = 0;
    request.segments = segments;
    request.segment_count = 3;
    assert_true(listing_select(worker, NULL, &request, &selection, &fault));
    oracle_read(&oracle, worker, NULL);
    oracle_rank(&oracle);
    const struct model_scorecard *scorecard = worker->state->active->scorecard;
    for (size_t i = 0; i < oracle.count; i++) {
        const struct feature_value *values = oracle.accounts[i].values;
        bool fits[] = {values[EMPLOYEES].present && values[EMPLOYEES].number > 800,
                       values[INDUSTRY].present &&
                           proto_span_equal(values[INDUSTRY].text, engine_fixture_span("Software")),
                       model_fit(scorecard, oracle.accounts[i].raw) >= 80};
        for (size_t s = 0; s < 3; s++) {
            if (fits[s] && room[s] > 0) {
                room[s]--;
                assert_true(at < selection.count);
                assert_int_equal(selection.picks[at].account.slot, oracle.accounts[i].slot);
                assert_int_equal(selection.picks[at].segment, s);
                at++;
                break;
            }
        }
    }
    assert_int_equal(selection.count, at);
    assert_int_equal(selection.segment_counts[0], 15 - room[0]);
    assert_int_equal(selection.segment_counts[2], 5 - room[2]);
    oracle_fini(&oracle);
    listing_selection_fini(&selection);
}

static void owners_take_by_capacity_left(void **state)
{
    (void)state;
    const struct listing_part owners[] = {
        {engine_fixture_span("ann"), engine_fixture_span("industry = 'Software'"), 3},
        {engine_fixture_span("bob"), engine_fixture_span("industry = 'Software'"), 5},
    };
    struct listing_request request = request_of(30);
    struct listing_selection selection;
    struct proto_fault fault = {0};
    size_t left[] = {3, 5};
    request.owners = owners;
    request.owner_count = 2;
    assert_true(listing_select(worker, NULL, &request, &selection, &fault));
    assert_int_equal(selection.count, 30);
    struct oracle oracle;
    oracle_read(&oracle, worker, NULL);
    oracle_rank(&oracle);
    size_t without = 0;
    for (size_t i = 0; i < selection.count; i++) {
        const struct listing_pick *pick = &selection.picks[i];
        const struct feature_value *industry = &oracle.accounts[i].values[INDUSTRY];
        assert_int_equal(pick->account.slot, oracle.accounts[i].slot);
        bool software =
            industry->present && proto_span_equal(industry->text, engine_fixture_span("Software"));
        if (!software) {
            assert_int_equal(pick->why, LISTING_NO_TERRITORY);
        } else if (left[0] == 0 && left[1] == 0) {
            assert_int_equal(pick->why, LISTING_NO_CAPACITY);
        } else {
            size_t owner = left[1] > left[0] ? 1 : 0;
            assert_int_equal(pick->owner, owner);
            left[owner]--;
            continue;
        }
        assert_int_equal(pick->owner, LISTING_NONE);
        without++;
    }
    assert_int_equal(selection.unassigned, without);
    assert_int_equal(selection.owner_counts[1], 5 - left[1]);
    assert_string_equal(listing_why_text(LISTING_NO_CAPACITY),
                        listing_why_text(LISTING_NO_CAPACITY));
    assert_string_not_equal(listing_why_text(LISTING_NO_CAPACITY),
                            listing_why_text(LISTING_NO_TERRITORY));
    oracle_fini(&oracle);
    listing_selection_fini(&selection);
}

static void a_wrong_part_is_named_by_its_place(void **state)
{
    (void)state;
    const struct listing_part parts[] = {
        {engine_fixture_span("a"), engine_fixture_span(""), 5},
        {engine_fixture_span("b"), engine_fixture_span("employees >> 5"), 5},
    };
    struct listing_request request = request_of(5);
    struct listing_selection selection;
    struct proto_fault fault = {0};
    request.segments = parts;
    request.segment_count = 2;
    assert_false(listing_select(worker, NULL, &request, &selection, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FILTER);
    assert_string_equal(fault.field, "segments[1].filter");
    listing_selection_fini(&selection);
    request.owners = parts;
    request.owner_count = 2;
    request.segment_count = 1;
    assert_false(listing_select(worker, NULL, &request, &selection, &fault));
    assert_string_equal(fault.field, "owners[1].filter");
    listing_selection_fini(&selection);
    request.filter = engine_fixture_span("nothing = 1");
    assert_false(listing_select(worker, NULL, &request, &selection, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FILTER);
    listing_selection_fini(&selection);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_are_taken),
        cmocka_unit_test(who_is_excluded_by_any_name_is_not_taken),
        cmocka_unit_test(a_quota_bounds_each_value_and_missing_is_one),
        cmocka_unit_test(a_quota_wants_a_field_with_few_values),
        cmocka_unit_test(an_account_goes_to_the_first_segment_with_room),
        cmocka_unit_test(owners_take_by_capacity_left),
        cmocka_unit_test(a_wrong_part_is_named_by_its_place),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
