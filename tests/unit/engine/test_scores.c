/* SPDX-License-Identifier: Apache-2.0 */
/* Scores in memory against the rows that they come from, with commits beside the readers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "server/engine/engine_create.h"
#include "server/engine/scores.h"
#include "server/engine/worker.h"
#include "tests/unit/engine/engine_fixture.h"

enum { ACCOUNTS = 3000, CHANGING = 40, ROUNDS = 200, PATIENCE = 20000 };

static void setup(struct engine_fixture *fixture)
{
    engine_fixture_open(fixture);
    engine_fixture_fill(fixture, ACCOUNTS);
    engine_fixture_learn(fixture);
}

static void name_of(unsigned number, char *text, struct proto_span *id)
{
    int bytes = snprintf(text, 16, "a%u", number);
    *id = (struct proto_span){(const uint8_t *)text, (size_t)bytes};
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* Waits until every account of the base is worked out. */
static struct engine_worker *filled_worker(struct engine *engine)
{
    struct proto_fault fault = {0};
    struct engine_worker *worker = engine_worker_create(engine, &fault);
    assert_non_null(worker);
    for (int i = 0; i < PATIENCE; i++) {
        assert_true(engine_worker_refresh(worker, &fault));
        const struct engine_scores *scores = worker->state->scores;
        if (scores && atomic_load(&scores->next) >= ACCOUNTS) {
            return worker;
        }
        nap();
    }
    fail_msg("the scores are not filled in");
    return NULL;
}

/* The score in memory and the one of the row; known tells of the first. */
static int64_t both(struct engine_worker *worker, uint32_t slot, int64_t *raw, bool *known)
{
    struct proto_fault fault = {0};
    engine_scores_read(worker->state->scores, worker->view, &slot, 1, raw, known);
    const uint8_t *row = store_row(worker->view, slot, &fault);
    assert_int_equal(fault.code, PROTO_OK);
    return row ? model_raw(worker->state->active->scorecard, row) : INT64_MIN;
}

static void every_account_has_the_score_of_its_row(void **state)
{
    (void)state;
    struct engine_fixture fixture;
    setup(&fixture);
    struct engine_worker *worker = filled_worker(fixture.engine);
    for (uint32_t slot = 0; slot < ACCOUNTS; slot++) {
        int64_t raw;
        bool known;
        int64_t wanted = both(worker, slot, &raw, &known);
        assert_true(known);
        assert_int_equal(raw, wanted);
    }
    uint32_t beyond[] = {ACCOUNTS, STORE_NO_SLOT, STORE_BAD_SLOT, 900000000};
    int64_t raws[4];
    bool known[4];
    assert_int_equal(
        engine_scores_read(worker->state->scores, worker->view, beyond, 4, raws, known), 0);
    engine_worker_destroy(worker);
    engine_fixture_close(&fixture);
}

/* Puts an account with other values, or deletes it. */
static void change(struct engine *engine, unsigned number, unsigned turn)
{
    static const char *const industries[] = {"Software", "Retail", "Steel"};
    char text[16];
    uint8_t bytes[1024];
    struct proto_fault fault = {0};
    struct proto_span source = {(const uint8_t *)"test", 4};
    struct engine_state *now = engine_state_get(engine);
    const struct feature_field *industry =
        feature_schema_find(now->schema, (struct proto_span){(const uint8_t *)"industry", 8});
    const struct feature_field *employees =
        feature_schema_find(now->schema, (struct proto_span){(const uint8_t *)"employees", 9});
    struct feature_value values[16] = {{0}};
    const char *word = industries[turn % 3];
    values[industry->id] = (struct feature_value){.present = true, .type = FEATURE_CATEGORY};
    values[industry->id].text = (struct proto_span){(const uint8_t *)word, strlen(word)};
    values[employees->id] =
        (struct feature_value){.present = true, .type = FEATURE_NUMBER, .number = turn * 37 % 1000};
    struct feature_record record = {
        .sources = &source, .source_count = 1, .values = values, .value_slots = 16};
    name_of(number, text, &record.id);
    struct store_batch *batch = store_batch_create();
    struct store_result result;
    assert_non_null(batch);
    if (turn % 7 == 6) {
        assert_true(store_batch_delete(batch, record.id, &fault));
    } else {
        size_t size = feature_record_encode(&record, bytes, sizeof bytes, &fault);
        assert_true(size > 0 && size <= sizeof bytes);
        assert_true(store_batch_put(batch, (struct proto_span){bytes, size}, &fault));
    }
    /* Deleting what is deleted is refused, and changes nothing. */
    (void)store_submit_wait(engine_store(engine), batch, &result);
    engine_state_release(now);
}

struct writing {
    struct engine *engine;
    _Atomic bool stop;
    unsigned turns;
};

static void *write_on(void *context)
{
    struct writing *writing = context;
    while (!atomic_load(&writing->stop)) {
        unsigned turn = writing->turns++;
        change(writing->engine, turn % CHANGING, turn);
    }
    return NULL;
}

/* Compares all that change; returns how many scores were in memory. */
static size_t compare_all(struct engine_worker *worker)
{
    size_t count = 0;
    for (uint32_t slot = 0; slot < CHANGING; slot++) {
        int64_t raw;
        bool known;
        int64_t wanted = both(worker, slot, &raw, &known);
        if (known) {
            assert_int_equal(raw, wanted);
            count++;
        }
    }
    return count;
}

static void a_view_never_finds_a_score_that_is_not_its_own(void **state)
{
    (void)state;
    struct engine_fixture fixture;
    setup(&fixture);
    struct engine_worker *worker = filled_worker(fixture.engine);
    struct writing writing = {.engine = fixture.engine};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, write_on, &writing), 0);
    struct proto_fault fault = {0};
    size_t fresh = 0;
    size_t old = 0;
    for (int i = 0; i < ROUNDS; i++) {
        assert_true(engine_worker_refresh(worker, &fault));
        fresh += compare_all(worker);
        nap(); /* commits go on, and this view grows old */
        old += compare_all(worker);
    }
    atomic_store(&writing.stop, true);
    pthread_join(thread, NULL);
    assert_true(writing.turns > 0);
    assert_true(fresh > 0);
    (void)old; /* how many are still known to an old view is a matter of luck */
    engine_worker_destroy(worker);
    engine_fixture_close(&fixture);
}

static void a_deleted_account_has_no_score_and_a_changed_one_its_new_one(void **state)
{
    (void)state;
    struct engine_fixture fixture;
    setup(&fixture);
    struct engine_worker *worker = filled_worker(fixture.engine);
    struct proto_fault fault = {0};
    int64_t raw;
    bool known;
    change(fixture.engine, 5, 6);
    change(fixture.engine, 6, 2);
    assert_true(engine_worker_refresh(worker, &fault));
    both(worker, 5, &raw, &known);
    assert_false(known);
    int64_t wanted = both(worker, 6, &raw, &known);
    assert_true(known);
    assert_int_equal(raw, wanted);
    engine_worker_destroy(worker);
    engine_fixture_close(&fixture);
}

static void scores_of_a_version_that_is_no_longer_active_end_with_its_last_commit(void **state)
{
    (void)state;
    struct engine_fixture fixture;
    setup(&fixture);
    struct engine_worker *worker = filled_worker(fixture.engine);
    struct engine_scores *before = engine_scores_retain(worker->state->scores);
    struct proto_fault fault = {0};
    int64_t raw;
    bool known;
    uint32_t slot = 1;
    engine_fixture_learn(&fixture);
    engine_scores_read(before, worker->view, &slot, 1, &raw, &known);
    assert_true(known); /* the worker's view is from before */
    change(fixture.engine, 1, 1);
    assert_true(engine_worker_refresh(worker, &fault));
    assert_ptr_not_equal(worker->state->scores, before);
    engine_scores_read(before, worker->view, &slot, 1, &raw, &known);
    assert_false(known);
    engine_scores_release(before);
    engine_worker_destroy(worker);
    engine_fixture_close(&fixture);
}

/* What a server answers meanwhile comes from the rows. */
static void scores_wait_for_the_end_of_the_start(void **state)
{
    (void)state;
    struct engine_fixture fixture;
    int64_t raw;
    bool known;
    setup(&fixture);
    fixture.starting = true;
    engine_fixture_again(&fixture);
    struct engine_worker *worker = engine_fixture_worker(&fixture);
    assert_non_null(worker->state->scores);
    assert_int_equal(atomic_load(&worker->state->scores->next), 0);
    (void)both(worker, 3, &raw, &known);
    assert_false(known);
    engine_worker_destroy(worker);
    engine_started(fixture.engine);
    worker = filled_worker(fixture.engine);
    int64_t wanted = both(worker, 3, &raw, &known);
    assert_true(known);
    assert_int_equal(raw, wanted);
    engine_worker_destroy(worker);
    fixture.starting = true; /* one that never starts ends all the same */
    engine_fixture_again(&fixture);
    engine_fixture_close(&fixture);
}

/* The control: a score that was not taken away must be seen as wrong by the comparison above. */
static void the_comparison_sees_a_wrong_score(void **state)
{
    (void)state;
    struct engine_fixture fixture;
    setup(&fixture);
    struct engine_worker *worker = filled_worker(fixture.engine);
    int64_t raw;
    bool known;
    atomic_fetch_add(engine_scores_place(worker->state->scores, 3), 1);
    int64_t wanted = both(worker, 3, &raw, &known);
    assert_true(known);
    assert_int_not_equal(raw, wanted);
    engine_worker_destroy(worker);
    engine_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_account_has_the_score_of_its_row),
        cmocka_unit_test(a_view_never_finds_a_score_that_is_not_its_own),
        cmocka_unit_test(a_deleted_account_has_no_score_and_a_changed_one_its_new_one),
        cmocka_unit_test(scores_of_a_version_that_is_no_longer_active_end_with_its_last_commit),
        cmocka_unit_test(scores_wait_for_the_end_of_the_start),
        cmocka_unit_test(the_comparison_sees_a_wrong_score),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
