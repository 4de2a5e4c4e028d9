/* SPDX-License-Identifier: Apache-2.0 */
/* A profile against what came after it: one that still holds, one whose outcomes no longer follow
 * it, accounts that are others, accounts whose values came with the outcome. And what is drawn from
 * the accounts that were learned from shifts in few runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/drift/drift_row.h"
#include "server/engine/walk.h"
#include "server/math/random.h"
#include "tests/unit/engine/engine_await.h"
#include "tests/unit/engine/engine_fixture.h"

#define DAY INT64_C(86400000)

enum { LEARNED = 800, RUNS = 200, DRAWN = 150, SLOTS = 16 };

static struct engine_fixture fixture;
static struct engine_worker *worker;
static struct math_random dice;
static unsigned told;

static int setup(void **state)
{
    (void)state;
    engine_fixture_open(&fixture);
    fixture.now_ms = 1000 * DAY;
    engine_fixture_fill(&fixture, LEARNED);
    assert_int_equal(engine_fixture_learn(&fixture), 1);
    fixture.now_ms = 1010 * DAY;
    worker = engine_fixture_worker(&fixture);
    math_random_init(&dice, 3);
    told = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    engine_worker_destroy(worker);
    engine_fixture_close(&fixture);
    return 0;
}

/* What an account is told with; won < 0: no outcome. */
struct account {
    const char *industry;
    unsigned people;
    bool jira;
    int won;
};

static struct feature_value text_value(const char *text, int64_t ms)
{
    return (struct feature_value){.present = true,
                                  .type = FEATURE_CATEGORY,
                                  .time_ms = ms,
                                  .text = engine_fixture_span(text)};
}

static struct engine_ingest *tell_begin(void)
{
    struct proto_fault fault = {0};
    struct engine_ingest *ingest = engine_ingest_begin(&fault);
    assert_non_null(ingest);
    return ingest;
}

static void tell_end(struct engine_ingest *ingest)
{
    struct proto_fault fault = {0};
    struct engine_await await;
    engine_await_begin(&await);
    bool given = engine_ingest_commit(ingest, fixture.engine, &await.write, &fault);
    assert_int_equal(engine_await_end(&await, worker, given, &fault).fault.code, PROTO_OK);
}

static void account_tell(struct engine_ingest *ingest, const char *id,
                         const struct account *account)
{
    const struct feature_schema *schema = worker->state->schema;
    struct feature_value values[SLOTS] = {{0}};
    struct proto_fault fault = {0};
    int64_t ms = fixture.now_ms;
    uint8_t packed[64];
    struct proto_span tag = engine_fixture_span("Jira");
    size_t bytes = feature_tags_pack(&tag, 1, packed, sizeof packed, &fault);
    values[feature_schema_find(schema, engine_fixture_span("industry"))->id] =
        text_value(account->industry, ms);
    values[feature_schema_find(schema, engine_fixture_span("employees"))->id] =
        (struct feature_value){
            .present = true, .type = FEATURE_NUMBER, .time_ms = ms, .number = account->people};
    if (account->jira) {
        values[feature_schema_find(schema, engine_fixture_span("tech"))->id] =
            (struct feature_value){
                .present = true, .type = FEATURE_TAGS, .time_ms = ms, .tags = {packed, bytes}};
    }
    values[feature_schema_find(schema, engine_fixture_span("trial"))->id] =
        (struct feature_value){.present = true,
                               .type = FEATURE_FLAG,
                               .time_ms = ms,
                               .flag = math_random_below(&dice, 2) == 0};
    if (account->won >= 0) {
        values[feature_schema_find(schema, engine_fixture_span("won"))->id] =
            (struct feature_value){
                .present = true, .type = FEATURE_FLAG, .time_ms = ms, .flag = account->won > 0};
    }
    const struct engine_account put = {.id = engine_fixture_span(id),
                                       .source = engine_fixture_span("crm"),
                                       .values = values,
                                       .value_slots = schema->id_count};
    assert_true(engine_ingest_put(ingest, &put, &fault));
}

static unsigned odds_of(const struct account *account)
{
    return (strcmp(account->industry, "Software") == 0 ? 40U : 5U) +
           (account->people > 500 ? 30U : 0U) + (account->jira ? 15U : 0U);
}

/* One like those that were learned from. */
static struct account account_draw(void)
{
    static const char *const industries[] = {"Software", "Retail", "Steel"};
    struct account account = {.industry = industries[math_random_below(&dice, 3)],
                              .people = 1 + (unsigned)math_random_below(&dice, 1000),
                              .jira = math_random_below(&dice, 2) == 0};
    account.won = math_random_below(&dice, 100) < odds_of(&account);
    return account;
}

static void accounts_tell(unsigned count, bool follows, const char *industry)
{
    struct engine_ingest *ingest = tell_begin();
    for (unsigned i = 0; i < count; i++) {
        char id[24];
        struct account account = account_draw();
        account.industry = industry ? industry : account.industry;
        account.won = follows ? account.won : math_random_below(&dice, 100) < 35;
        (void)snprintf(id, sizeof id, "new-%u", told++);
        account_tell(ingest, id, &account);
    }
    tell_end(ingest);
}

static struct drift_request request_of(void)
{
    return (struct drift_request){.since_ms = DRIFT_ACTIVATION, .at_ms = MEASURE_NEVER};
}

static void look(struct drift_result *result)
{
    struct drift_request request = request_of();
    struct proto_fault fault = {0};
    assert_true(engine_worker_refresh(worker, &fault));
    if (!drift_measure(worker, NULL, &request, result, &fault)) {
        fail_msg("%s: %s", fault.field, fault.message);
    }
}

static const struct drift_column *column_of(const struct drift_result *result, const char *name)
{
    for (size_t i = 0; i < result->column_count; i++) {
        if (strcmp(result->columns[i].field, name) == 0) {
            return &result->columns[i];
        }
    }
    return NULL;
}

static void before_anything_came_there_is_too_little(void **state)
{
    (void)state;
    struct drift_result result;
    look(&result);
    assert_int_equal(result.verdict, DRIFT_FEW);
    assert_int_equal(result.rows + result.open, 0);
    assert_int_equal(result.since_ms, 1000 * DAY);
    assert_int_equal(result.column_count, 0);
    assert_string_equal(result.label, "won = 1");
    drift_fini(&result);
    accounts_tell(30, true, NULL);
    struct engine_ingest *ingest = tell_begin();
    account_tell(ingest, "open", &(struct account){"Steel", 3, false, -1});
    tell_end(ingest);
    look(&result);
    assert_int_equal(result.verdict, DRIFT_FEW);
    assert_int_equal(result.rows, 30);
    assert_int_equal(result.open, 1);
    assert_true(result.both);
    assert_non_null(strstr(result.words[0], "too few outcomes"));
    drift_fini(&result);
}

static void a_profile_that_outcomes_follow_holds(void **state)
{
    (void)state;
    struct drift_result result;
    accounts_tell(700, true, NULL);
    look(&result);
    assert_int_equal(result.verdict, DRIFT_HOLDS);
    assert_int_equal(result.rows, 700);
    assert_true(result.skill.low > 0 && result.skill.low < result.skill.value &&
                result.skill.value < result.skill.high);
    assert_true(result.auc.low > 0.6);
    assert_true(result.gap.low < 0 && result.gap.high > 0);
    assert_true(fabs(result.rate.value - (result.p_mean + result.gap.value)) < 1e-12);
    assert_true(fabs(result.expected_auc - result.auc.value) < 0.06);
    assert_true(fabs(result.expected_brier - result.brier) < 0.03);
    uint64_t cases = 0;
    for (int g = 0; g < LEARN_GRADES; g++) {
        cases += result.grades[g].rows;
    }
    assert_int_equal(cases, 700);
    assert_true(result.column_count >= 3);
    for (size_t i = 0; i < result.column_count; i++) {
        assert_true(result.columns[i].psi <= result.columns[i].limit);
        assert_false(result.columns[i].lost);
    }
    assert_null(strstr(result.words[0], "rebuild"));
    drift_fini(&result);
}

static void one_that_they_no_longer_follow_is_to_be_rebuilt(void **state)
{
    (void)state;
    struct drift_result result;
    accounts_tell(900, false, NULL);
    look(&result);
    assert_int_equal(result.verdict, DRIFT_REBUILD);
    assert_ptr_equal(strstr(result.words[0], "rebuild: "), result.words[0]);
    assert_true(result.skill.low <= 0);
    assert_true(result.auc.low < 0.5);
    const struct drift_column *industry = column_of(&result, "industry");
    assert_true(industry && industry->lost && industry->psi <= industry->limit);
    bool named = false;
    for (size_t i = 0; i < result.word_count; i++) {
        named = named || strstr(result.words[i], "industry no longer tells them apart");
    }
    assert_true(named);
    drift_fini(&result);
}

static void other_accounts_are_told_by_field(void **state)
{
    (void)state;
    struct drift_result result;
    accounts_tell(300, true, "Steel");
    look(&result);
    const struct drift_column *first = &result.columns[0];
    assert_string_equal(first->field, "industry");
    assert_true(first->psi > first->limit);
    assert_true(first->share_now == 0 || first->share_now == 1);
    const struct drift_column *employees = column_of(&result, "employees");
    assert_true(employees && employees->psi <= employees->limit);
    drift_fini(&result);
}

static void early_tell(bool ended)
{
    struct engine_ingest *ingest = tell_begin();
    for (int i = 0; i < 60; i++) {
        char id[24];
        (void)snprintf(id, sizeof id, "early-%d", i);
        account_tell(ingest, id,
                     ended ? &(struct account){"Software", 900, true, i % 2}
                           : &(struct account){"Steel", 20, false, -1});
    }
    tell_end(ingest);
}

/* An account that was there before is scored as it was before its outcome was told. */
static void what_came_with_the_outcome_is_not_seen(void **state)
{
    (void)state;
    struct drift_result before;
    struct drift_result after;
    early_tell(false);
    look(&before);
    assert_int_equal(before.open, 60);
    fixture.now_ms = 1020 * DAY;
    early_tell(true);
    look(&after);
    assert_int_equal(after.rows, 60);
    assert_int_equal(after.open, 0);
    assert_true(fabs(after.expected_brier - before.expected_brier) < 1e-9);
    assert_true(after.auc.low < 0.5);
    drift_fini(&before);
    drift_fini(&after);
}

static void what_is_asked_for_wrongly_is_refused(void **state)
{
    (void)state;
    struct drift_result result;
    struct drift_request request = request_of();
    struct proto_fault fault = {0};
    request.icp = 7;
    assert_false(drift_measure(worker, NULL, &request, &result, &fault));
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    drift_fini(&result);
    request = request_of();
    request.label = engine_fixture_span("wonn = 1");
    fault = (struct proto_fault){0};
    assert_false(drift_measure(worker, NULL, &request, &result, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FILTER);
    assert_string_equal(fault.field, "label");
    drift_fini(&result);
}

static void rows_draw(const uint8_t *codes, size_t stride, struct drift_rows *rows)
{
    *rows = (struct drift_rows){.stride = stride, .count = DRAWN, .group_count = DRAWN};
    rows->codes = malloc(DRAWN * stride);
    assert_non_null(rows->codes);
    for (size_t i = 0; i < DRAWN; i++) {
        memcpy(rows->codes + i * stride, codes + math_random_below(&dice, LEARNED) * stride,
               stride);
    }
}

static void accounts_drawn_from_those_learned_from_shift_by_chance_alone(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    struct learn_document *document = engine_state_document(worker->state, 0, &fault);
    assert_true(document && document->support);
    size_t stride = document->codebook->row_bytes;
    uint8_t *codes = calloc(LEARNED, stride);
    int shifted = 0;
    assert_non_null(codes);
    for (uint32_t slot = 0; slot < LEARNED; slot++) {
        assert_true(engine_values(worker, slot, NULL, &fault));
        feature_codebook_encode(document->codebook, worker->values, worker->state->schema->id_count,
                                codes + slot * stride);
    }
    for (int run = 0; run < RUNS; run++) {
        struct drift_rows rows;
        struct drift_result result = {.document = learn_document_retain(document)};
        rows_draw(codes, stride, &rows);
        assert_true(drift_columns_measure(&rows, &result, &fault));
        bool any = false;
        for (size_t i = 0; i < result.column_count; i++) {
            any = any || result.columns[i].psi > result.columns[i].limit;
        }
        shifted += any;
        drift_fini(&result);
        drift_rows_fini(&rows);
    }
    free(codes);
    assert_true(shifted <= RUNS / 20 + 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(before_anything_came_there_is_too_little, setup, teardown),
        cmocka_unit_test_setup_teardown(a_profile_that_outcomes_follow_holds, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_they_no_longer_follow_is_to_be_rebuilt, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(other_accounts_are_told_by_field, setup, teardown),
        cmocka_unit_test_setup_teardown(what_came_with_the_outcome_is_not_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_asked_for_wrongly_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(
            accounts_drawn_from_those_learned_from_shift_by_chance_alone, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
