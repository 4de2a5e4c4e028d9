/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes: turns of connections, bounds, and threads side by side. What a lane does with one piece
 * after another is tested by engine/job. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/engine/engine_internal.h"
#include "tests/unit/engine/engine_fixture.h"

enum { ORDER_MAX = 64 };

/* A lane without an engine behind it, whose pieces wait at a gate. */
struct bench {
    struct engine engine;
    struct engine_lane_row row;
    struct engine_lane lane;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open;                  /* the gate */
    unsigned inside;            /* pieces that run */
    unsigned most;              /* that ran at once */
    uint64_t owners[ORDER_MAX]; /* in the order of running */
    size_t count;
    unsigned ended;
    unsigned places; /* bit of each that ended a piece */
};

static int64_t no_time(void *context)
{
    (void)context;
    return 1;
}

static void bench_open(struct bench *bench, unsigned threads)
{
    struct proto_fault fault = {0};
    *bench = (struct bench){.engine.options.now_ms = no_time};
    bench->row = engine_lane_rows[ENGINE_LANE_SCAN];
    bench->row.view = false;
    bench->row.threads = threads;
    pthread_mutex_init(&bench->lock, NULL);
    pthread_cond_init(&bench->changed, NULL);
    assert_true(engine_lane_start(&bench->lane, &bench->engine, &bench->row, &fault));
}

static void gate_open(struct bench *bench)
{
    pthread_mutex_lock(&bench->lock);
    bench->open = true;
    pthread_cond_broadcast(&bench->changed);
    pthread_mutex_unlock(&bench->lock);
}

static void wait_for(struct bench *bench, const unsigned *what, unsigned count)
{
    pthread_mutex_lock(&bench->lock);
    while (*what < count) {
        pthread_cond_wait(&bench->changed, &bench->lock);
    }
    pthread_mutex_unlock(&bench->lock);
}

static void bench_close(struct bench *bench)
{
    gate_open(bench);
    engine_lane_stop(&bench->lane);
    engine_lane_fini(&bench->lane);
}

static bool piece_run(struct engine_job *job, struct proto_fault *fault)
{
    struct bench *bench = job->context;
    (void)fault;
    pthread_mutex_lock(&bench->lock);
    bench->owners[bench->count++ % ORDER_MAX] = job->owner;
    bench->inside++;
    bench->most = bench->inside > bench->most ? bench->inside : bench->most;
    pthread_cond_broadcast(&bench->changed);
    while (!bench->open) {
        pthread_cond_wait(&bench->changed, &bench->lock);
    }
    bench->inside--;
    pthread_mutex_unlock(&bench->lock);
    return true;
}

static void piece_done(void *context, const struct engine_job_info *info)
{
    struct bench *bench = context;
    pthread_mutex_lock(&bench->lock);
    bench->ended++;
    bench->places |= 1U << info->place;
    pthread_cond_broadcast(&bench->changed);
    pthread_mutex_unlock(&bench->lock);
}

static void keep(void *context)
{
    (void)context;
}

static uint64_t piece_queue(struct bench *bench, uint64_t owner, size_t bytes,
                            struct proto_fault *fault)
{
    struct engine_job *job = calloc(1, sizeof *job);
    assert_non_null(job);
    job->engine = &bench->engine;
    job->owner = owner;
    job->bytes = bytes;
    job->context = bench;
    job->run = piece_run;
    job->on_done = piece_done;
    job->callback_context = bench;
    job->destroy = keep;
    uint64_t number = engine_lane_queue(&bench->lane, job, fault);
    if (number == 0) {
        free(job);
    }
    return number;
}

static void who_sends_many_waits_behind_who_sends_one(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    bench_open(&bench, 1);
    piece_queue(&bench, 1, 0, &fault);
    wait_for(&bench, &bench.inside, 1);
    for (int i = 0; i < 4; i++) {
        piece_queue(&bench, 1, 0, &fault);
    }
    piece_queue(&bench, 2, 0, &fault);
    piece_queue(&bench, 2, 0, &fault);
    piece_queue(&bench, 3, 0, &fault);
    gate_open(&bench);
    wait_for(&bench, &bench.ended, 8);
    const uint64_t order[] = {1, 1, 2, 3, 1, 2, 1, 1};
    assert_memory_equal(bench.owners, order, sizeof order);
    bench_close(&bench);
}

static void without_owners_what_came_first_runs_first(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    bench_open(&bench, 1);
    for (uint64_t i = 1; i <= 5; i++) {
        assert_int_equal(piece_queue(&bench, 0, 0, &fault), i);
    }
    const struct engine_job *before = NULL;
    pthread_mutex_lock(&bench.lane.lock);
    for (const struct engine_job *job = bench.lane.head; job; before = job, job = job->next) {
        assert_true(!before || before->info.job < job->info.job);
    }
    pthread_mutex_unlock(&bench.lane.lock);
    bench_close(&bench);
}

static void bytes_beyond_the_bound_are_busy_until_a_piece_has_ended(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    bench_open(&bench, 1);
    size_t most = bench.row.bytes_max;
    assert_int_equal(piece_queue(&bench, 1, most - 10, &fault), 1);
    assert_int_equal(piece_queue(&bench, 1, 11, &fault), 0);
    assert_int_equal(fault.code, PROTO_BUSY);
    assert_int_equal(piece_queue(&bench, 1, 10, &fault), 2);
    assert_int_equal(piece_queue(&bench, 1, 1, &fault), 0);
    assert_int_equal(piece_queue(&bench, 1, 0, &fault), 3);
    gate_open(&bench);
    wait_for(&bench, &bench.ended, 3);
    assert_int_equal(bench.lane.bytes, 0);
    assert_int_equal(piece_queue(&bench, 1, most, &fault), 4);
    bench_close(&bench);
}

static void a_full_queue_is_busy_and_a_stopped_lane_says_so(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    bench_open(&bench, 1);
    piece_queue(&bench, 1, 0, &fault);
    wait_for(&bench, &bench.inside, 1);
    for (size_t i = 0; i < bench.row.queued_max; i++) {
        assert_true(piece_queue(&bench, i % 3, 0, &fault) > 0);
    }
    assert_int_equal(piece_queue(&bench, 9, 0, &fault), 0);
    assert_int_equal(fault.code, PROTO_BUSY);
    gate_open(&bench);
    engine_lane_stop(&bench.lane);
    assert_int_equal(piece_queue(&bench, 9, 0, &fault), 0);
    assert_int_equal(fault.code, PROTO_SHUTTING_DOWN);
    assert_int_equal(bench.ended, 1 + bench.row.queued_max);
    engine_lane_fini(&bench.lane);
}

static void threads_of_a_lane_run_side_by_side(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    bench_open(&bench, 3);
    for (int i = 0; i < 6; i++) {
        piece_queue(&bench, 0, 0, &fault);
    }
    wait_for(&bench, &bench.inside, 3);
    gate_open(&bench);
    wait_for(&bench, &bench.ended, 6);
    assert_int_equal(bench.most, 3);
    /* The places of the lane SCAN begin behind those of JOB. */
    assert_int_equal(bench.places & 1, 0);
    bench_close(&bench);
}

struct seen {
    struct engine_fixture *fixture;
    struct engine_worker *worker;
};

static bool worker_note(void *context, struct engine_worker *worker, struct engine_job *job,
                        struct proto_fault *fault)
{
    ((struct seen *)context)->worker = worker;
    return engine_scan_goes_on(job, fault);
}

static void seen_done(void *context, const struct engine_job_info *info)
{
    engine_fixture_ended(((struct seen *)context)->fixture, info);
}

static void each_lane_of_scans_has_a_worker_of_its_own(void **state)
{
    (void)state;
    struct engine_fixture fixture;
    struct proto_fault fault = {0};
    struct seen seen = {.fixture = &fixture};
    engine_fixture_open(&fixture);
    unsigned with_worker = 0;
    for (unsigned i = 0; i < ENGINE_LANE_THREADS; i++) {
        with_worker += engine_lane_worker(fixture.engine, i) != NULL;
    }
    unsigned wanted = 0; /* jobs open their own views */
    for (unsigned i = 0; i < ENGINE_LANES; i++) {
        wanted += engine_lane_rows[i].view ? engine_lane_rows[i].threads : 0;
    }
    assert_int_equal(with_worker, wanted);
    assert_null(engine_lane_worker(fixture.engine, ENGINE_LANE_THREADS));
    struct engine_scan scan = {.op = PROTO_OP_SIMILAR,
                               .lane = ENGINE_LANE_SEARCH,
                               .context = &seen,
                               .run = worker_note,
                               .on_done = seen_done};
    assert_true(engine_scan(fixture.engine, &scan, &fault));
    assert_int_equal(engine_fixture_wait(&fixture, 1).state, ENGINE_JOB_DONE);
    engine_stop(fixture.engine);
    assert_non_null(seen.worker);
    assert_ptr_equal(seen.worker, engine_lane_worker(fixture.engine, ENGINE_LANE_THREADS - 1));
    assert_false(engine_scan(fixture.engine, &scan, &fault));
    assert_int_equal(fault.code, PROTO_SHUTTING_DOWN);
    engine_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_sends_many_waits_behind_who_sends_one),
        cmocka_unit_test(without_owners_what_came_first_runs_first),
        cmocka_unit_test(bytes_beyond_the_bound_are_busy_until_a_piece_has_ended),
        cmocka_unit_test(a_full_queue_is_busy_and_a_stopped_lane_says_so),
        cmocka_unit_test(threads_of_a_lane_run_side_by_side),
        cmocka_unit_test(each_lane_of_scans_has_a_worker_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
