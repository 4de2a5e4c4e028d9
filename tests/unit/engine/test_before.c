/* SPDX-License-Identifier: Apache-2.0 */
/* What an account was in truth at a time, as of what was known at another: first told out in days,
 * then at random against a model that keeps each telling; and a score as of a moment, which is the
 * score of a lead with the values of then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <stdio.h>

#include "server/engine/before.h"
#include "tests/unit/engine/engine_fixture.h"

#define DAY INT64_C(86400000)

enum { TELLINGS = 40, ROUNDS = 5, FIRST_DAY = 19000, BEGIN = 100 };

static struct engine_fixture fixture;
static struct engine_worker *worker;
static struct base_arena arena;

static int64_t ms_of(int day)
{
    return (FIRST_DAY + day) * DAY;
}

static int setup(void **state)
{
    (void)state;
    engine_fixture_open(&fixture);
    fixture.now_ms = ms_of(0);
    engine_fixture_fill(&fixture, 300);
    worker = engine_fixture_worker(&fixture);
    base_arena_init(&arena, 0, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    base_arena_fini(&arena);
    engine_worker_destroy(worker);
    engine_fixture_close(&fixture);
    return 0;
}

enum how { PUT, DATED, TAKE };

static uint16_t employees(void)
{
    const struct feature_schema *schema = engine_worker_state(worker)->schema;
    return feature_schema_find(schema, proto_span_text("employees"))->id;
}

/* Tells the account's number of employees (0: it has none) on a day, true since another. */
static void tell(const char *id, enum how how, int number, int true_day, int known_day)
{
    struct proto_fault fault = {0};
    struct store_result result;
    struct store_batch *batch = store_batch_create();
    struct feature_value values[64] = {{0}};
    uint16_t field = employees();
    const struct proto_span source = proto_span_text("test");
    values[field] =
        (struct feature_value){.present = number > 0, .number = number, .time_ms = ms_of(true_day)};
    const struct feature_record record = {.id = engine_fixture_span(id),
                                          .sources = &source,
                                          .source_count = 1,
                                          .values = values,
                                          .value_slots = 64};
    fixture.now_ms = ms_of(known_day);
    bool told = how == DATED
                    ? store_batch_patch_record(batch, &record, NULL, 0, STORE_PATCH_DATED, &fault)
                    : store_batch_put_record(batch, &record, &fault);
    assert_true(told);
    assert_true(store_submit_wait(engine_store(fixture.engine), batch, &result));
    assert_true(engine_worker_refresh(worker, &fault));
}

/* What it was; 0: it is said that nothing is known. */
static int truth(const char *id, int true_day, int known_day)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct feature_record record;
    struct engine_past_value *values;
    struct engine_moment moment = engine_moment_now();
    const struct engine_name name = {.id = engine_fixture_span(id)};
    moment.true_ms = ms_of(true_day);
    moment.known_ms = ms_of(known_day);
    base_arena_reset(&arena);
    uint32_t slot = engine_find(worker, &name, &fault);
    if (engine_account_at(worker, slot, &moment, engine_worker_state(worker)->schema->id_count,
                          &arena, &record, &values, &fault)) {
        assert_true(values[employees()].value.present);
        return (int)values[employees()].value.number;
    }
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    return 0;
}

static void a_field_is_what_was_said_last_that_holds_for_then(void **state)
{
    (void)state;
    tell("days", PUT, 10, 100, 300); /* told on day 300, true since day 100 */
    tell("days", PUT, 10, 310, 310); /* again: its first time is not kept */
    tell("days", PUT, 20, 315, 320); /* changed, and was so five days before it was told */
    tell("days", DATED, 5, 90, 325); /* late */
    tell("days", PUT, 0, 0, 330);    /* taken away */
    tell("days", PUT, 30, 340, 340); /* and back */
    tell("days", PUT, 40, 335, 350); /* corrected: 30 never was so */
    const struct {
        int true_day, known_day, number;
    } cases[] = {
        {89, 400, 0},   {90, 400, 5},   {299, 400, 5},  {300, 400, 10}, {314, 400, 10},
        {315, 400, 20}, {329, 400, 20}, {330, 400, 0},  {334, 400, 0},  {335, 400, 40},
        {345, 400, 40}, {400, 400, 40}, {345, 345, 30}, {335, 345, 0},  {329, 329, 20},
        {314, 319, 10}, {315, 319, 10}, {90, 324, 0},   {90, 326, 5},   {299, 305, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int number = truth("days", cases[i].true_day, cases[i].known_day);
        if (number != cases[i].number) {
            fail_msg("on day %d as of day %d: %d, not %d", cases[i].true_day, cases[i].known_day,
                     number, cases[i].number);
        }
    }
}

/* The model: each telling of one account, in the order in which it was told. */
struct telling {
    enum how how;
    int number, true_day, known_day;
};

/* A value while it was the stored one. */
struct stay {
    int number; /* 0: none */
    int told_day, last_day;
};

/* What the field was on the day, as far as it has been gone through. */
struct answer {
    int number, since_day;
    bool late;
};

static void stay_judge(const struct stay *stay, int true_day, struct answer *answer)
{
    int from_day = stay->last_day < stay->told_day ? stay->last_day : stay->told_day;
    bool outlasted = answer->late && answer->since_day >= from_day && stay->last_day > true_day;
    if (stay->number != 0 && from_day <= true_day && !outlasted) {
        *answer = (struct answer){stay->number, from_day, false};
    }
}

/* Goes through all that was told, from the tellings themselves and not from what they ended: of a
 * value that is told again the last time is kept alone, whenever it is asked for. */
static int model_truth(const struct telling *tellings, int all, int true_day, int known_day)
{
    struct stay now = {.number = 0};
    struct answer answer = {.since_day = INT_MIN};
    for (int i = 0; i < all; i++) {
        const struct telling *told = &tellings[i];
        bool late = told->how == DATED && now.number != 0 && now.last_day > told->true_day;
        bool until = told->known_day <= known_day;
        if (told->number == now.number) {
            now.last_day = late ? now.last_day : told->true_day;
        } else if (late) {
            bool holds = told->true_day <= true_day && told->true_day >= answer.since_day;
            answer = until && holds ? (struct answer){told->number, told->true_day, true} : answer;
        } else if (until) {
            stay_judge(&now, true_day, &answer);
            if (told->number == 0 && told->known_day <= true_day) {
                answer = (struct answer){0, told->known_day, false};
            }
            now = (struct stay){told->number, told->known_day, told->true_day};
        } else {
            break;
        }
    }
    stay_judge(&now, true_day, &answer);
    return answer.number;
}

static int random_of(uint32_t *seed, int most)
{
    *seed = *seed * 1664525U + 1013904223U;
    return (int)((*seed >> 8) % (unsigned)most);
}

static struct telling telling_make(uint32_t *seed, int i, int stored, int known_day)
{
    int kind = i == 0 ? 0 : random_of(seed, 10);
    struct telling telling = {.how = PUT, .number = i + 1, .known_day = known_day};
    telling.true_day = known_day - random_of(seed, 20);
    if (kind >= 8) {
        telling.number = stored; /* again */
        telling.true_day = known_day;
    } else if (kind == 7) {
        telling.number = 0;
    } else if (kind >= 5) {
        telling.how = DATED;
        telling.true_day = known_day - random_of(seed, 60);
    }
    return telling;
}

static void truths_compare(const char *id, const struct telling *tellings, uint32_t seed)
{
    int last_day = tellings[TELLINGS - 1].known_day;
    for (int known_day = BEGIN; known_day <= last_day + 1; known_day += 3) {
        for (int true_day = BEGIN - 30; true_day <= last_day + 1; true_day++) {
            int number = truth(id, true_day, known_day);
            int expected = model_truth(tellings, TELLINGS, true_day, known_day);
            if (number != expected) {
                fail_msg("seed %u, on day %d as of day %d: %d, not %d", seed, true_day, known_day,
                         number, expected);
            }
        }
    }
}

static void random_tellings_are_what_the_model_says(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct telling tellings[TELLINGS];
        uint32_t seed = 7 + round;
        int known_day = BEGIN;
        int stored = 0;
        int stored_day = 0;
        char id[16];
        (void)snprintf(id, sizeof id, "random%u", round);
        for (int i = 0; i < TELLINGS; i++) {
            struct telling *told = &tellings[i];
            *told = telling_make(&seed, i, stored, known_day);
            tell(id, told->how, told->number, told->true_day, known_day);
            if (told->how == PUT || stored == 0 || stored_day <= told->true_day) {
                stored = told->number;
                stored_day = told->true_day;
            }
            known_day += 1 + random_of(&seed, 4);
        }
        truths_compare(id, tellings, 7 + round);
        engine_worker_destroy(worker);
        engine_fixture_again(&fixture);
        worker = engine_fixture_worker(&fixture);
        truths_compare(id, tellings, 7 + round);
    }
}

static void score_of(const struct engine_query *query, struct engine_answer *answer)
{
    struct proto_fault fault = {.code = PROTO_OK};
    if (!engine_score(worker, query, answer, &fault)) {
        fail_msg("%s", fault.message);
    }
}

static void a_score_as_of_a_moment_is_that_of_a_lead_with_the_values_of_then(void **state)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct feature_record record;
    struct engine_past_value *was;
    struct engine_moment moment = engine_moment_now();
    struct engine_answer before;
    struct engine_answer after;
    struct engine_answer then;
    struct engine_answer lead;
    const char *const first[] = {"industry", "Software", "employees", "900", "tech", "Jira", NULL};
    const char *const second[] = {"industry", "Steel", "employees", "3", NULL};
    (void)state;
    fixture.now_ms = ms_of(500);
    (void)engine_fixture_learn(&fixture);
    engine_fixture_put(&fixture, "scored", first);
    assert_true(engine_worker_refresh(worker, &fault));
    moment.seq = engine_worker_seq(worker);
    struct engine_query query = {.name = {.id = proto_span_text("scored")},
                                 .document = engine_worker_state(worker)->active,
                                 .reasons = 3};
    score_of(&query, &before);
    fixture.now_ms = ms_of(600);
    engine_fixture_put(&fixture, "scored", second);
    assert_true(engine_worker_refresh(worker, &fault));
    query.document = engine_worker_state(worker)->active;
    score_of(&query, &after);
    assert_true(before.raw > after.raw);
    uint32_t slot = engine_find(worker, &query.name, &fault);
    size_t slots = engine_worker_state(worker)->schema->id_count;
    base_arena_reset(&arena);
    assert_true(engine_account_at(worker, slot, &moment, slots, &arena, &record, &was, &fault));
    query.was = was;
    query.was_ms = ms_of(500);
    score_of(&query, &then);
    assert_true(then.found);
    assert_true(then.raw == before.raw);
    assert_true(then.part_count == before.part_count);
    struct feature_value values[64] = {{0}};
    for (size_t i = 0; i < slots; i++) {
        values[i] = was[i].value;
    }
    struct engine_query alone = {
        .values = values, .value_slots = slots, .document = query.document, .reasons = 3};
    score_of(&alone, &lead);
    assert_true(lead.raw == then.raw);
    /* A value that is not kept is no missing one, unless the query brings another. */
    was[employees()] = (struct engine_past_value){.unkept = true};
    assert_false(engine_score(worker, &query, &then, &fault));
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    query.values = values;
    query.value_slots = slots;
    score_of(&query, &then);
    assert_true(then.raw == before.raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_is_what_was_said_last_that_holds_for_then),
        cmocka_unit_test(random_tellings_are_what_the_model_says),
        cmocka_unit_test(a_score_as_of_a_moment_is_that_of_a_lead_with_the_values_of_then),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
