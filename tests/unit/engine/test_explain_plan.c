/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "server/engine/explain_plan.h"
#include "server/math/random.h"

#define COLUMNS 70

/* Fields of one to seven columns. */
static char names[COLUMNS][8];
static struct feature_column columns[COLUMNS];
static struct feature_codebook codebook = {
    .columns = columns, .column_count = COLUMNS, .row_bytes = 128};

static void columns_make(void)
{
    unsigned field = 0;
    unsigned left = 1;
    for (size_t c = 0; c < COLUMNS; c++) {
        if (left == 0) {
            left = 1 + ++field % 7;
        }
        left--;
        snprintf(names[c], sizeof names[c], "f%u", field);
        columns[c].field_name = names[c];
        columns[c].field_id = (uint16_t)field;
        columns[c].bin_count = (unsigned)(2 + c % 5);
    }
}

static struct model_scorecard *scorecard_make(size_t pairs, struct math_random *random)
{
    size_t entries = 0;
    for (size_t c = 0; c < COLUMNS; c++) {
        entries += columns[c].bin_count;
    }
    for (size_t p = 0; p < pairs; p++) {
        entries += (size_t)columns[p].bin_count * columns[p + 9].bin_count;
    }
    struct model_scorecard *scorecard = model_create(COLUMNS + pairs, entries);
    uint32_t offset = 0;
    for (size_t t = 0; t < COLUMNS + pairs; t++) {
        struct model_term *term = &scorecard->terms[t];
        bool pair = t >= COLUMNS;
        term->column_a = (uint16_t)(pair ? t - COLUMNS : t);
        term->column_b = pair ? (uint16_t)(term->column_a + 9) : MODEL_NO_COLUMN;
        term->bins_a = (uint16_t)columns[term->column_a].bin_count;
        term->bins_b = pair ? (uint16_t)columns[term->column_b].bin_count : 1;
        term->table_offset = offset;
        offset += (uint32_t)term->bins_a * term->bins_b;
    }
    for (size_t e = 0; e < entries; e++) {
        scorecard->tables[e] = (int32_t)math_random_below(random, 2000001) - 1000000;
    }
    scorecard->intercept = 777;
    scorecard->calibration_count = 1;
    struct proto_fault fault;
    assert_true(model_seal(scorecard, &codebook, &fault));
    return scorecard;
}

/* A row of a codebook: all columns of a field are missing, or none. */
static void row_draw(uint8_t *row, struct math_random *random)
{
    bool missing = false;
    memset(row, 0, 128);
    for (size_t c = 0; c < COLUMNS; c++) {
        if (c == 0 || columns[c].field_id != columns[c - 1].field_id) {
            missing = math_random_below(random, 4) == 0;
        }
        unsigned bins = columns[c].bin_count;
        row[c] = missing ? 0 : (uint8_t)(1 + math_random_below(random, (uint64_t)bins - 1));
    }
}

static void
the_interval_is_that_of_all_terms_and_missing_are_the_fields_without_a_code(void **state)
{
    (void)state;
    struct math_random random;
    math_random_init(&random, 11);
    columns_make();
    for (unsigned round = 0; round < 30; round++) {
        struct model_scorecard *scorecard = scorecard_make(round % 3 * 20, &random);
        struct learn_document document = {.codebook = &codebook, .scorecard = scorecard};
        struct engine_state engine_state = {.generation = 1};
        struct engine_worker worker = {.state = &engine_state};
        struct proto_fault fault;
        const struct engine_plan *plan = engine_plan_get(&worker, &document, &fault);
        assert_non_null(plan);
        assert_ptr_equal(engine_plan_get(&worker, &document, &fault), plan);
        assert_false(plan->can_be_stale);
        for (unsigned i = 0; i < 50; i++) {
            uint8_t row[128];
            uint16_t missing[COLUMNS];
            row_draw(row, &random);
            size_t count = engine_plan_missing(plan, row, missing);
            size_t wanted = 0;
            for (size_t c = 0; c < COLUMNS; c++) {
                bool first = c == 0 || strcmp(names[c], names[c - 1]) != 0;
                if (row[c] == 0 && first) {
                    assert_true(wanted < count);
                    assert_true(proto_span_is(plan->gaps[missing[wanted++]].name, names[c]));
                }
            }
            assert_int_equal(count, wanted);
            int64_t low[2];
            int64_t high[2];
            model_interval(scorecard, row, &low[0], &high[0]);
            engine_plan_interval(plan, row, model_raw(scorecard, row), missing, count, &low[1],
                                 &high[1]);
            assert_int_equal(low[0], low[1]);
            assert_int_equal(high[0], high[1]);
        }
        for (size_t i = 0; i < ENGINE_PLANS; i++) {
            engine_plan_destroy(worker.plans[i]);
        }
        model_destroy(scorecard);
    }
}

/* What can be stale is the schema's to say, so a plan ends with the state that it was made for. */
static void a_plan_is_made_anew_for_another_state_and_few_are_kept(void **state)
{
    (void)state;
    struct math_random random;
    math_random_init(&random, 12);
    columns_make();
    struct model_scorecard *scorecard = scorecard_make(0, &random);
    struct learn_document documents[ENGINE_PLANS + 2];
    struct engine_state engine_state = {.generation = 1};
    struct engine_worker worker = {.state = &engine_state};
    struct proto_fault fault;
    for (size_t i = 0; i < ENGINE_PLANS + 2; i++) {
        documents[i] = (struct learn_document){.codebook = &codebook, .scorecard = scorecard};
        assert_ptr_equal(engine_plan_get(&worker, &documents[i], &fault)->document, &documents[i]);
    }
    engine_state.generation = 2;
    const struct engine_plan *plan = engine_plan_get(&worker, &documents[ENGINE_PLANS], &fault);
    assert_int_equal(plan->generation, 2);
    for (size_t i = 0; i < ENGINE_PLANS; i++) {
        engine_plan_destroy(worker.plans[i]);
    }
    model_destroy(scorecard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            the_interval_is_that_of_all_terms_and_missing_are_the_fields_without_a_code),
        cmocka_unit_test(a_plan_is_made_anew_for_another_state_and_few_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
