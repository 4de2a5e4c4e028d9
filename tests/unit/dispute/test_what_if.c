/* SPDX-License-Identifier: Apache-2.0 */
/* What a version would change, against the same counted account by account with nothing kept: at
 * first, and after each of many writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "server/dispute/grades.h"
#include "server/dispute/what_if.h"
#include "server/engine/walk.h"
#include "server/math/random.h"
#include "tests/unit/engine/engine_fixture.h"

enum { ACCOUNTS = 700, MOST = 25, ROUNDS = 30 };

static struct engine_fixture fixture;
static struct engine_worker *worker;
static struct dispute *dispute;

static void refresh(void)
{
    struct proto_fault fault = {0};
    assert_true(engine_worker_refresh(worker, &fault));
}

static void account_put(unsigned i, struct math_random *random)
{
    static const char *const industries[] = {"Software", "Retail", "Steel", "Shipping"};
    char id[24];
    char employees[24];
    snprintf(id, sizeof id, "a%u", i);
    snprintf(employees, sizeof employees, "%u", (unsigned)math_random_below(random, 3000));
    const char *industry = industries[math_random_below(random, 4)];
    bool missing = math_random_below(random, 5) == 0;
    const char *words[] = {"employees",
                           employees,
                           "won",
                           math_random_below(random, 2) ? "1" : "0",
                           missing ? NULL : "industry",
                           industry,
                           NULL};
    engine_fixture_put(&fixture, id, words);
}

static int setup(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    struct math_random random;
    math_random_init(&random, 5);
    engine_fixture_open(&fixture);
    engine_fixture_fill(&fixture, ACCOUNTS);
    assert_int_equal(engine_fixture_learn(&fixture), 1);
    for (unsigned i = 0; i < 150; i++) {
        account_put(i, &random);
    }
    assert_int_equal(engine_fixture_learn(&fixture), 2);
    assert_int_equal(engine_fixture_learn_value(&fixture, "employees"), 3);
    worker = engine_fixture_worker(&fixture);
    dispute = dispute_create(fixture.engine, &fault);
    assert_non_null(dispute);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dispute_destroy(dispute);
    engine_worker_destroy(worker);
    engine_fixture_close(&fixture);
    return 0;
}

/* What is counted by hand. */
struct counted {
    uint64_t accounts, moves[4][4], missing, software;
    double farthest;
    double worth[2]; /* in hundredths */
};

static bool is_software(const struct feature_value *value)
{
    return value->present && proto_span_is(value->text, "Software");
}

/* Of the codes that stand in the worker's scratch. */
static double worth_by_hand(const struct learn_document *document, int64_t raw)
{
    return document->value == NULL ? 0
                                   : floor(100 * model_p(document->scorecard, raw) *
                                               learn_value_of(document->value, worker->codes) +
                                           0.5);
}

static void count_by_hand(uint32_t icp, uint32_t against, bool software_alone,
                          struct counted *counted)
{
    const struct feature_schema *schema = worker->state->schema;
    uint16_t industry = feature_schema_find(schema, engine_fixture_span("industry"))->id;
    struct proto_fault fault = {0};
    const struct learn_document *after = engine_state_document(worker->state, icp, &fault);
    const struct learn_document *before = engine_state_document(worker->state, against, &fault);
    *counted = (struct counted){0};
    for (uint32_t slot = 0; slot < store_view_slots(worker->view); slot++) {
        int64_t raws[2];
        struct proto_fault gone = {0};
        if (!engine_values(worker, slot, NULL, &gone)) {
            continue;
        }
        const struct feature_value *value = &worker->values[industry];
        if (software_alone && !is_software(value)) {
            continue;
        }
        assert_true(engine_values_raw(worker, before, &raws[0], &fault));
        counted->worth[0] += worth_by_hand(before, raws[0]);
        assert_true(engine_values_raw(worker, after, &raws[1], &fault));
        counted->worth[1] += worth_by_hand(after, raws[1]);
        double fits[2] = {model_fit(before->scorecard, raws[0]),
                          model_fit(after->scorecard, raws[1])};
        char grades[2] = {model_grade(before->scorecard, fits[0]),
                          model_grade(after->scorecard, fits[1])};
        counted->accounts++;
        counted->missing += !value->present;
        counted->software += is_software(value);
        counted->moves[grades[0] - 'A'][grades[1] - 'A']++;
        if (grades[0] != grades[1] && fabs(fits[1] - fits[0]) > counted->farthest) {
            counted->farthest = fabs(fits[1] - fits[0]);
        }
    }
}

static void must_be_the_count_by_hand(uint32_t icp, uint32_t against, bool software_alone)
{
    struct counted counted;
    struct proto_fault fault = {0};
    struct dispute_what_if_result result;
    struct dispute_what_if question = {
        .icp = icp, .against = against, .by = engine_fixture_span("industry"), .most = MOST};
    if (software_alone) {
        question.filter = engine_fixture_span("industry = 'Software'");
    }
    assert_true(dispute_what_if(dispute, worker, NULL, &question, &result, &fault));
    count_by_hand(icp, against, software_alone, &counted);
    assert_int_equal(result.accounts, counted.accounts);
    assert_memory_equal(result.moves, counted.moves, sizeof counted.moves);
    uint64_t sum = 0;
    double before = 0;
    double after = 0;
    assert_true(result.expected.before == counted.worth[0] / 100);
    assert_true(result.expected.after == counted.worth[1] / 100);
    assert_int_equal(result.value_before != NULL, against >= 3);
    assert_int_equal(result.value_after != NULL, icp >= 3);
    for (size_t i = 0; i < result.part_count; i++) {
        const struct dispute_what_if_part *part = &result.parts[i];
        sum += part->accounts;
        before += part->expected.before;
        after += part->expected.after;
        if (part->value == NULL) {
            assert_int_equal(part->accounts, counted.missing);
        } else if (strcmp(part->value, "Software") == 0) {
            assert_int_equal(part->accounts, counted.software);
        }
    }
    assert_int_equal(sum, counted.accounts);
    assert_int_equal(llround(100 * before), llround(100 * result.expected.before));
    assert_int_equal(llround(100 * after), llround(100 * result.expected.after));
    for (size_t i = 1; i < result.changed_count; i++) {
        before = fabs(result.changed[i - 1].fit_after - result.changed[i - 1].fit_before);
        assert_true(before >= fabs(result.changed[i].fit_after - result.changed[i].fit_before));
    }
    if (result.changed_count > 0) {
        assert_true(fabs(result.changed[0].fit_after - result.changed[0].fit_before) ==
                    counted.farthest);
    }
    dispute_what_if_fini(&result);
}

static void it_is_the_count_by_hand(void **state)
{
    (void)state;
    refresh();
    must_be_the_count_by_hand(1, 2, false);
    must_be_the_count_by_hand(2, 1, false);
    must_be_the_count_by_hand(1, 2, true);
    must_be_the_count_by_hand(3, 1, false); /* what one of them expects */
    must_be_the_count_by_hand(2, 3, true);
    must_be_the_count_by_hand(3, 3, false);
}

static void a_version_beside_itself_changes_nothing(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    struct dispute_what_if_result result;
    struct dispute_what_if question = {.icp = 2, .against = 2, .most = MOST};
    assert_true(dispute_what_if(dispute, worker, NULL, &question, &result, &fault));
    assert_int_equal(result.changed_count, 0);
    assert_true(result.accounts >= ACCOUNTS && result.parts == NULL);
    dispute_what_if_fini(&result);
}

/* Puts, patches of the same account and deletions between questions; sometimes several, sometimes
 * with a column that was not asked for meanwhile. */
static void it_follows_what_is_written(void **state)
{
    (void)state;
    struct math_random random;
    math_random_init(&random, 9);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (size_t writes = math_random_below(&random, 4); writes > 0; writes--) {
            char id[24];
            unsigned i = (unsigned)math_random_below(&random, ACCOUNTS + 60);
            snprintf(id, sizeof id, "a%u", i);
            if (math_random_below(&random, 4) == 0) {
                (void)engine_fixture_delete(&fixture, id);
            } else {
                account_put(i, &random);
            }
        }
        refresh();
        must_be_the_count_by_hand(round % 2 ? 1 : 3, 2, round % 3 == 1);
    }
}

/* A commit that the view has not seen must not be lost, nor seen. */
static void a_view_of_before_is_answered_as_of_then(void **state)
{
    (void)state;
    struct math_random random;
    math_random_init(&random, 11);
    refresh();
    must_be_the_count_by_hand(1, 2, false);
    for (unsigned i = 0; i < 40; i++) {
        account_put(i, &random);
    }
    must_be_the_count_by_hand(1, 2, false); /* as of the view of before */
    refresh();
    must_be_the_count_by_hand(1, 2, false);
}

static void what_cannot_be_asked_is_refused(void **state)
{
    (void)state;
    static const struct {
        uint64_t icp;
        const char *filter, *by;
        enum proto_error code;
    } cases[] = {{9, NULL, NULL, PROTO_NOT_FOUND},
                 {1, "industry = ", NULL, PROTO_BAD_FILTER},
                 {1, "fit > 5", NULL, PROTO_BAD_FILTER},
                 {1, NULL, "employees", PROTO_BAD_FIELD},
                 {1, NULL, "owner", PROTO_BAD_FIELD}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct proto_fault fault = {0};
        struct dispute_what_if_result result;
        struct dispute_what_if question = {.icp = cases[i].icp};
        if (cases[i].filter != NULL) {
            question.filter = engine_fixture_span(cases[i].filter);
        }
        if (cases[i].by != NULL) {
            question.by = engine_fixture_span(cases[i].by);
        }
        assert_false(dispute_what_if(dispute, worker, NULL, &question, &result, &fault));
        assert_int_equal(fault.code, cases[i].code);
    }
}

/* More columns than there are places: each is still right. */
static void columns_that_gave_way_are_worked_out_again(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    refresh();
    for (unsigned i = 0; i < 2 * DISPUTE_COLUMNS; i++) {
        char text[48];
        struct dispute_what_if_result result;
        struct dispute_what_if question = {.icp = 1, .against = 2};
        snprintf(text, sizeof text, "employees >= %u", i % 5 * 100);
        question.filter = engine_fixture_span(text);
        assert_true(dispute_what_if(dispute, worker, NULL, &question, &result, &fault));
        dispute_what_if_fini(&result);
    }
    must_be_the_count_by_hand(1, 2, true);
}

static void grades_turn_where_the_model_turns(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    const struct model_scorecard *scorecard =
        engine_state_document(worker->state, 2, &fault)->scorecard;
    struct dispute_grades grades = dispute_grades_make(scorecard);
    struct math_random random;
    math_random_init(&random, 3);
    for (unsigned i = 0; i < 3000; i++) {
        int64_t raw = (int64_t)math_random_below(&random, 8000000) - 4000000;
        raw = i < 9 ? grades.least[i / 3] + (int64_t)(i % 3) - 1 : raw;
        assert_int_equal('A' + (int)dispute_grade(&grades, raw),
                         model_grade(scorecard, model_fit(scorecard, raw)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_count_by_hand),
        cmocka_unit_test(a_version_beside_itself_changes_nothing),
        cmocka_unit_test(it_follows_what_is_written),
        cmocka_unit_test(a_view_of_before_is_answered_as_of_then),
        cmocka_unit_test(what_cannot_be_asked_is_refused),
        cmocka_unit_test(columns_that_gave_way_are_worked_out_again),
        cmocka_unit_test(grades_turn_where_the_model_turns),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
