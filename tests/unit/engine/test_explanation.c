/* SPDX-License-Identifier: Apache-2.0 */
/* Explanations against the scorecard itself: parts that add up, and changes of a grade against
 * every bin of every column tried one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <stdlib.h>

#include "server/engine/before.h"
#include "server/engine/explanation.h"
#include "tests/unit/engine/engine_fixture.h"

enum { ACCOUNTS = 900, TRIED = 60 };

static struct engine_fixture fixture;
static struct engine_worker *worker;
static struct base_arena arena;

static int setup(void **state)
{
    (void)state;
    engine_fixture_open(&fixture);
    engine_fixture_fill(&fixture, ACCOUNTS);
    static const char *const strange[] = {"industry", "Shipping", "employees", "40", NULL};
    static const char *const bare[] = {"trial", "1", NULL};
    engine_fixture_put(&fixture, "strange", strange);
    engine_fixture_put(&fixture, "bare", bare);
    assert_int_equal(engine_fixture_learn(&fixture), 1);
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

static void explain(const char *id, size_t changes, struct engine_explanation *explanation)
{
    struct proto_fault fault = {0};
    struct engine_query query = {.name.id = engine_fixture_span(id),
                                 .document = worker->state->active};
    base_arena_reset(&arena);
    assert_true(engine_explanation_make(worker, &query, changes, &arena, explanation, &fault));
}

static void parts_and_families_add_up_to_the_score(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TRIED; i++) {
        char id[16];
        struct engine_explanation e;
        struct engine_answer answer;
        struct proto_fault fault = {0};
        snprintf(id, sizeof id, "a%u", i);
        explain(id, 3, &e);
        int64_t sum = e.document->scorecard->intercept;
        int64_t families = sum;
        int64_t before = INT64_MAX;
        for (size_t p = 0; p < e.part_count; p++) {
            int64_t size = llabs((long long)e.parts[p].contribution);
            assert_int_equal(e.parts[p].contribution,
                             e.document->scorecard->tables[e.parts[p].entry]);
            assert_true(size <= before);
            before = size;
            sum += e.parts[p].contribution;
        }
        for (unsigned f = 0; f < ENGINE_FAMILIES; f++) {
            families += e.families[f];
        }
        assert_int_equal(e.part_count, e.document->scorecard->term_count);
        assert_true(sum == e.answer.raw && families == e.answer.raw);
        struct engine_query query = {.name.id = engine_fixture_span(id),
                                     .document = worker->state->active,
                                     .reasons = 1,
                                     .bare = true};
        assert_true(engine_score(worker, &query, &answer, &fault));
        assert_true(answer.raw == e.answer.raw && answer.fit == e.answer.fit);
        assert_true(answer.grade == e.answer.grade && answer.fit_low == e.answer.fit_low &&
                    answer.fit_high == e.answer.fit_high);
        assert_int_equal(answer.missing_count, e.answer.missing_count);
    }
}

/* The raw score with another code in one column. */
static int64_t changed_raw(const struct engine_explanation *e, uint16_t column, unsigned code)
{
    uint8_t row[1024];
    assert_true(e->document->codebook->row_bytes <= sizeof row);
    memcpy(row, e->codes, e->document->codebook->row_bytes);
    row[column] = (uint8_t)code;
    return model_raw(e->document->scorecard, row);
}

static char grade_of(const struct engine_explanation *e, int64_t raw)
{
    return model_grade(e->document->scorecard, model_fit(e->document->scorecard, raw));
}

/* How far a change is, as explanation.h says; UINT64_MAX where it is none. */
static uint64_t distance(const struct engine_explanation *e, uint16_t column, unsigned code,
                         bool up)
{
    const struct feature_column *of = &e->document->codebook->columns[column];
    unsigned from = e->codes[column];
    int64_t raw = changed_raw(e, column, code);
    char grade = grade_of(e, raw);
    bool turns = up ? grade < e->answer.grade : grade > e->answer.grade;
    if (!turns || code == from || code == 0 || (of->type == FEATURE_CATEGORY && code == 1) ||
        (of->type == FEATURE_TAGS && from == 0)) {
        return UINT64_MAX;
    }
    uint64_t bins =
        of->type == FEATURE_NUMBER && from > 0 ? (uint64_t)abs((int)code - (int)from) : 0;
    return (bins << 48) + (uint64_t)llabs((long long)(raw - e->answer.raw));
}

static size_t must_be_the_nearest(const struct engine_explanation *e, bool up)
{
    const struct engine_change *changes = up ? e->up : e->down;
    size_t count = up ? e->up_count : e->down_count;
    size_t seen = 0;
    uint16_t columns = (uint16_t)e->document->codebook->column_count;
    for (uint16_t c = 0; c < columns; c++) {
        uint64_t least = UINT64_MAX;
        for (unsigned code = 0; code < e->document->codebook->columns[c].bin_count; code++) {
            uint64_t far = distance(e, c, code, up);
            least = far < least ? far : least;
        }
        for (size_t i = 0; i < count; i++) {
            if (changes[i].column == c) {
                seen++;
                assert_true(distance(e, c, changes[i].to, up) == least);
                assert_true(changed_raw(e, c, changes[i].to) == e->answer.raw + changes[i].moves);
                assert_int_equal(changes[i].grade, grade_of(e, e->answer.raw + changes[i].moves));
            }
            assert_true(i == 0 || llabs((long long)changes[i - 1].moves) <=
                                      llabs((long long)changes[i].moves));
        }
        bool told = false;
        for (size_t i = 0; i < count; i++) {
            told = told || changes[i].column == c;
        }
        assert_true(told == (least != UINT64_MAX));
    }
    assert_int_equal(seen, count);
    return seen;
}

static void changes_are_the_nearest_of_all_bins(void **state)
{
    (void)state;
    size_t seen = 0;
    for (unsigned i = 0; i < TRIED; i++) {
        char id[16];
        struct engine_explanation e;
        snprintf(id, sizeof id, "a%u", i);
        explain(id, PROTO_EXPLAIN_CHANGES_MAX, &e);
        seen += must_be_the_nearest(&e, true);
        seen += must_be_the_nearest(&e, false);
        struct engine_explanation one;
        size_t ups = e.up_count;
        explain(id, 1, &one);
        assert_int_equal(one.up_count, ups > 0);
    }
    assert_true(seen > TRIED); /* else nothing was tried */
}

static bool named(const struct proto_span *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (proto_span_equal(names[i], engine_fixture_span(name))) {
            return true;
        }
    }
    return false;
}

static void what_is_unseen_and_what_is_missing_is_told(void **state)
{
    (void)state;
    struct engine_explanation e;
    explain("strange", 3, &e);
    assert_true(named(e.unseen, e.unseen_count, "industry"));
    assert_false(named(e.answer.missing, e.answer.missing_count, "industry"));
    assert_true(named(e.answer.missing, e.answer.missing_count, "trial"));
    for (size_t p = 0; p < e.part_count; p++) {
        const struct feature_column *column =
            &e.document->codebook->columns[e.parts[p].term->column_a];
        if (e.parts[p].term->column_b == MODEL_NO_COLUMN &&
            strcmp(column->field_name, "industry") == 0) {
            assert_int_equal(e.parts[p].state, ENGINE_PART_UNSEEN);
        }
    }
    explain("bare", 3, &e);
    assert_int_equal(e.unseen_count, 0);
    assert_true(named(e.answer.missing, e.answer.missing_count, "industry"));
    assert_true(e.answer.fit_low <= e.answer.fit && e.answer.fit <= e.answer.fit_high);
}

/* Values of the fixture are of 1970: employees is stale after 30 days, the others never. */
static void a_value_that_is_old_is_told_as_stale(void **state)
{
    (void)state;
    struct engine_explanation e;
    explain("a1", 0, &e);
    assert_int_equal(e.answer.stale_count, 1);
    assert_true(named(e.answer.stale, e.answer.stale_count, "employees"));
    assert_int_equal(e.up_count + e.down_count, 0);
}

static void an_account_is_explained_as_it_was(void **state)
{
    (void)state;
    struct engine_explanation e;
    struct engine_past_value was[16] = {{.value.present = false}};
    struct proto_fault fault = {0};
    uint16_t employees =
        feature_schema_find(worker->state->schema, engine_fixture_span("employees"))->id;
    struct engine_query query = {.name.id = engine_fixture_span("a1"),
                                 .document = worker->state->active,
                                 .was = was,
                                 .was_ms = 1000};
    was[employees].value = (struct feature_value){
        .present = true, .type = FEATURE_NUMBER, .number = 77, .time_ms = 900};
    base_arena_reset(&arena);
    assert_true(engine_explanation_make(worker, &query, 0, &arena, &e, &fault));
    assert_true(e.values[employees].number == 77);
    assert_int_equal(e.answer.stale_count, 0); /* it was a moment old */
    was[employees].unkept = true;
    assert_false(engine_explanation_make(worker, &query, 0, &arena, &e, &fault));
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
}

static void nobody_and_no_values_is_refused(void **state)
{
    (void)state;
    struct engine_explanation e;
    struct proto_fault fault = {0};
    struct engine_query query = {.name.id = engine_fixture_span("nobody"),
                                 .document = worker->state->active};
    base_arena_reset(&arena);
    assert_false(engine_explanation_make(worker, &query, 3, &arena, &e, &fault));
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
}

static void counts_of_the_version_stand_behind_each_part(void **state)
{
    (void)state;
    const struct learn_document *document = worker->state->active;
    const struct learn_support *support = document->support;
    assert_non_null(support);
    for (size_t t = 0; t < document->scorecard->term_count; t++) {
        const struct model_term *term = &document->scorecard->terms[t];
        size_t rows = 0;
        size_t won = 0;
        for (size_t i = 0; i < (size_t)term->bins_a * term->bins_b; i++) {
            rows += support->rows[term->table_offset + i];
            won += support->positives[term->table_offset + i];
        }
        assert_true(support->known[t]);
        assert_int_equal(rows, support->rows_all);
        assert_int_equal(won, support->positives_all);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_and_families_add_up_to_the_score),
        cmocka_unit_test(changes_are_the_nearest_of_all_bins),
        cmocka_unit_test(what_is_unseen_and_what_is_missing_is_told),
        cmocka_unit_test(a_value_that_is_old_is_told_as_stale),
        cmocka_unit_test(an_account_is_explained_as_it_was),
        cmocka_unit_test(nobody_and_no_values_is_refused),
        cmocka_unit_test(counts_of_the_version_stand_behind_each_part),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
