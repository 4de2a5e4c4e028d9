/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces that wait for a sequence: they hold no thread and no place of the queue, begin when it is
 * applied, and end all the same when it is not. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "server/engine/engine_internal.h"
#include "server/engine/lane_wait.h"
#include "server/engine/submit.h"
#include "tests/unit/engine/engine_fixture.h"

#define LATER_MS INT64_C(1000000)

/* A lane without an engine's store behind it. */
struct bench {
    struct engine engine;
    struct engine_lane_row row;
    struct engine_lane lane;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t owner; /* of the next piece, and its bytes */
    size_t bytes;
    unsigned ran;
    unsigned ended;
    enum proto_error codes[8]; /* in the order in which they ended */
    char message[512];         /* of the last */
};

static int64_t clock_ms(void *context)
{
    struct timespec now;
    (void)context;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void bench_open(struct bench *bench)
{
    struct proto_fault fault = {0};
    *bench = (struct bench){.engine.options.now_ms = clock_ms, .bytes = 100};
    bench->row = engine_lane_rows[ENGINE_LANE_AWAIT];
    bench->row.view = false;
    pthread_mutex_init(&bench->lock, NULL);
    pthread_cond_init(&bench->changed, NULL);
    assert_true(engine_lane_start(&bench->lane, &bench->engine, &bench->row, &fault));
}

static void bench_close(struct bench *bench)
{
    engine_lane_stop(&bench->lane);
    assert_int_equal(bench->lane.bytes, 0);
    assert_int_equal(bench->lane.waiting, 0);
    engine_lane_fini(&bench->lane);
}

static void apply(struct bench *bench, uint64_t seq)
{
    engine_applied_note(&bench->engine, seq);
    engine_lane_wake(&bench->lane); /* it is none of the engine's own */
}

static void wait_for(struct bench *bench, const unsigned *what, unsigned count)
{
    pthread_mutex_lock(&bench->lock);
    while (*what < count) {
        pthread_cond_wait(&bench->changed, &bench->lock);
    }
    pthread_mutex_unlock(&bench->lock);
}

static bool piece_run(struct engine_job *job, struct proto_fault *fault)
{
    struct bench *bench = job->context;
    (void)fault;
    pthread_mutex_lock(&bench->lock);
    bench->ran++;
    pthread_cond_broadcast(&bench->changed);
    pthread_mutex_unlock(&bench->lock);
    return true;
}

static void piece_done(void *context, const struct engine_job_info *info)
{
    struct bench *bench = context;
    pthread_mutex_lock(&bench->lock);
    bench->codes[bench->ended++ % 8] = info->fault.code;
    snprintf(bench->message, sizeof bench->message, "%s", info->fault.message);
    pthread_cond_broadcast(&bench->changed);
    pthread_mutex_unlock(&bench->lock);
}

static void keep(void *context)
{
    (void)context;
}

/* NULL if it was not taken. */
static struct engine_job *piece_queue(struct bench *bench, uint64_t min_seq, int64_t wait_ms,
                                      struct proto_fault *fault)
{
    struct engine_job *job = calloc(1, sizeof *job);
    assert_non_null(job);
    *job = (struct engine_job){.engine = &bench->engine,
                               .owner = bench->owner,
                               .bytes = bench->bytes,
                               .min_seq = min_seq,
                               .wait_until_ms = clock_ms(NULL) + wait_ms,
                               .context = bench,
                               .run = piece_run,
                               .on_done = piece_done,
                               .callback_context = bench,
                               .destroy = keep};
    if (engine_lane_queue(&bench->lane, job, fault) != 0) {
        return job;
    }
    free(job);
    return NULL;
}

static void piece_waits_until_its_sequence_is_applied(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    bench_open(&bench);
    apply(&bench, 7);
    (void)piece_queue(&bench, 9, LATER_MS, &fault);
    (void)piece_queue(&bench, 7, LATER_MS, &fault);
    wait_for(&bench, &bench.ended, 1); /* the second one */
    apply(&bench, 8);
    (void)piece_queue(&bench, 0, 0, &fault);
    wait_for(&bench, &bench.ended, 2);
    assert_int_equal(bench.lane.waiting, 1);
    apply(&bench, 9);
    wait_for(&bench, &bench.ended, 3);
    assert_int_equal(bench.ran, 3);
    bench_close(&bench);
}

static void piece_that_waits_takes_no_place_of_the_queue(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    bench_open(&bench);
    for (size_t i = 0; i < ENGINE_WAITS_MAX; i++) {
        bench.owner = i / ENGINE_OWNER_WAITS_MAX;
        assert_non_null(piece_queue(&bench, 1, LATER_MS, &fault));
    }
    bench.owner++;
    assert_null(piece_queue(&bench, 1, LATER_MS, &fault));
    assert_int_equal(fault.code, PROTO_BUSY);
    assert_string_equal(fault.field, "min_seq");
    assert_non_null(piece_queue(&bench, 0, 0, &fault));
    wait_for(&bench, &bench.ended, 1);
    apply(&bench, 1);
    wait_for(&bench, &bench.ended, 1 + ENGINE_WAITS_MAX);
    assert_int_equal(bench.ran, 1 + ENGINE_WAITS_MAX);
    bench_close(&bench);
}

static void owner_that_waits_for_much_leaves_room_to_others(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    bench_open(&bench);
    for (size_t i = 0; i < ENGINE_OWNER_WAITS_MAX; i++) {
        assert_non_null(piece_queue(&bench, UINT64_MAX, LATER_MS, &fault));
    }
    assert_null(piece_queue(&bench, UINT64_MAX, LATER_MS, &fault));
    assert_int_equal(fault.code, PROTO_BUSY);
    assert_string_equal(fault.field, "min_seq");
    bench.owner = 1;
    assert_non_null(piece_queue(&bench, 1, LATER_MS, &fault));
    apply(&bench, 1);
    wait_for(&bench, &bench.ran, 1);
    bench_close(&bench);
}

static void bytes_that_wait_leave_room_to_those_that_need_not(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    bench_open(&bench);
    bench.bytes = bench.row.bytes_max / 4;
    for (bench.owner = 0; piece_queue(&bench, UINT64_MAX, LATER_MS, &fault) != NULL;) {
        bench.owner++;
    }
    assert_int_equal(fault.code, PROTO_BUSY);
    assert_string_equal(fault.field, "min_seq");
    assert_int_equal(bench.owner, 2);
    assert_non_null(piece_queue(&bench, 0, 0, &fault));
    wait_for(&bench, &bench.ran, 1);
    bench_close(&bench);
}

static void piece_whose_time_is_over_says_how_far_the_server_is(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    bench_open(&bench);
    apply(&bench, 7);
    (void)piece_queue(&bench, 9, LATER_MS, &fault);
    (void)piece_queue(&bench, 9, 5, &fault);
    wait_for(&bench, &bench.ended, 1);
    assert_int_equal(bench.codes[0], PROTO_BEHIND);
    assert_non_null(strstr(bench.message, "applied sequence 7 and did not reach 9"));
    (void)piece_queue(&bench, 9, 0, &fault); /* no time at all */
    wait_for(&bench, &bench.ended, 2);
    assert_int_equal(bench.codes[1], PROTO_BEHIND);
    assert_int_equal(bench.ran, 0);
    apply(&bench, 9);
    wait_for(&bench, &bench.ran, 1);
    bench_close(&bench);
}

static void piece_that_nobody_waits_for_ends_at_once(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    bench_open(&bench);
    struct engine_job *job = piece_queue(&bench, 9, LATER_MS, &fault);
    assert_non_null(job);
    atomic_store(&job->cancel, true);
    engine_lane_wake(&bench.lane);
    wait_for(&bench, &bench.ended, 1);
    assert_int_equal(bench.codes[0], PROTO_CANCELLED);
    bench_close(&bench);
}

static void lane_that_stops_refuses_what_waits(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    bench_open(&bench);
    (void)piece_queue(&bench, 9, LATER_MS, &fault);
    (void)piece_queue(&bench, 10, LATER_MS, &fault);
    engine_lane_stop(&bench.lane);
    assert_int_equal(bench.ended, 2);
    assert_int_equal(bench.codes[0], PROTO_CANCELLED);
    assert_int_equal(bench.ran, 0);
    bench_close(&bench);
}

/* The engine's own part. */

/* A clock that stands at 1,000 ms. context: up to when all is known, or NULL: 750. */
static int64_t as_of_route(void *context)
{
    return context != NULL ? *(int64_t *)context : 750;
}

static uint64_t age_of_route(void *context, int64_t as_of)
{
    (void)context;
    return (uint64_t)(1000 - as_of);
}

static void engine_says_what_it_has_applied_and_how_old_that_is(void **state)
{
    (void)state;
    struct engine_fixture fixture;
    struct proto_fault fault = {0};
    engine_fixture_open(&fixture);
    uint64_t before = engine_applied(fixture.engine);
    engine_fixture_fill(&fixture, 10);
    uint64_t after = engine_applied(fixture.engine);
    assert_true(after > before);
    assert_true(engine_has_applied(fixture.engine, after, &fault));
    assert_false(engine_has_applied(fixture.engine, after + 1, &fault));
    assert_int_equal(fault.code, PROTO_BEHIND);
    assert_int_equal(engine_age_ms(fixture.engine), 0); /* it follows nobody */
    assert_int_equal(engine_log_id(fixture.engine), 0);
    engine_applied_follow(fixture.engine, 7);
    assert_int_equal(engine_log_id(fixture.engine), 7);
    assert_true(engine_is_young(fixture.engine, 0, &fault));
    const struct engine_route route = {.as_of = as_of_route, .age_ms = age_of_route};
    engine_route_set(fixture.engine, &route);
    assert_int_equal(engine_age_ms(fixture.engine), 250);
    assert_false(engine_is_young(fixture.engine, 249, &fault));
    assert_string_equal(fault.field, "max_age_ms");
    assert_true(engine_is_young(fixture.engine, 250, &fault));
    engine_fixture_close(&fixture);
}

static void answer_is_as_old_as_the_view_that_gives_it(void **state)
{
    (void)state;
    struct engine_fixture fixture;
    struct proto_fault fault = {0};
    engine_fixture_open(&fixture);
    struct engine_worker *worker = engine_fixture_worker(&fixture);
    int64_t as_of = 250;
    assert_int_equal(engine_worker_age_ms(worker), 0); /* it follows nobody */
    const struct engine_route route = {
        .as_of = as_of_route, .age_ms = age_of_route, .context = &as_of};
    engine_route_set(fixture.engine, &route);
    assert_true(engine_worker_refresh(worker, &fault));
    as_of = 1000; /* the view has not seen that */
    assert_int_equal(engine_age_ms(fixture.engine), 0);
    assert_int_equal(engine_worker_age_ms(worker), 750);
    assert_true(engine_worker_refresh(worker, &fault));
    assert_int_equal(engine_worker_age_ms(worker), 0);
    engine_worker_destroy(worker);
    engine_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(piece_waits_until_its_sequence_is_applied),
        cmocka_unit_test(piece_that_waits_takes_no_place_of_the_queue),
        cmocka_unit_test(owner_that_waits_for_much_leaves_room_to_others),
        cmocka_unit_test(bytes_that_wait_leave_room_to_those_that_need_not),
        cmocka_unit_test(piece_whose_time_is_over_says_how_far_the_server_is),
        cmocka_unit_test(piece_that_nobody_waits_for_ends_at_once),
        cmocka_unit_test(lane_that_stops_refuses_what_waits),
        cmocka_unit_test(engine_says_what_it_has_applied_and_how_old_that_is),
        cmocka_unit_test(answer_is_as_old_as_the_view_that_gives_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
