/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/engine/engine_internal.h"

/* An engine with jobs and nothing else: jobs need neither store nor state. */
struct bench {
    struct engine engine;
    struct engine_lane_row row; /* of the lane JOB, that runs together what can */
    _Atomic int64_t now_ms;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool running;  /* a job is inside run() */
    bool released; /* it may return */
    unsigned done;
    unsigned cancelled; /* of those */
    struct engine_job_info last;
    unsigned progressed;
};

static int64_t bench_now(void *context)
{
    struct bench *bench = context;
    return bench->now_ms;
}

/* A lane as the row says, of one thread and without views. */
static void bench_open_as(struct bench *bench, const struct engine_lane_row *row)
{
    struct proto_fault fault = {0};
    *bench = (struct bench){.now_ms = 1000};
    bench->engine.options.now_ms = bench_now;
    bench->engine.options.now_context = bench;
    pthread_mutex_init(&bench->lock, NULL);
    pthread_cond_init(&bench->changed, NULL);
    bench->row = *row;
    bench->row.threads = 1;
    bench->row.view = false;
    assert_true(engine_lane_start(&bench->engine.lanes[ENGINE_LANE_JOB], &bench->engine,
                                  &bench->row, &fault));
}

static void bench_open(struct bench *bench)
{
    struct engine_lane_row row = engine_lane_rows[ENGINE_LANE_JOB];
    row.together_max = ENGINE_TOGETHER_MAX;
    bench_open_as(bench, &row);
}

static void bench_close(struct bench *bench)
{
    engine_lane_stop(&bench->engine.lanes[ENGINE_LANE_JOB]);
    engine_lane_fini(&bench->engine.lanes[ENGINE_LANE_JOB]);
}

static uint64_t bench_queue(struct bench *bench, struct engine_job *job, struct proto_fault *fault)
{
    return engine_lane_queue(&bench->engine.lanes[ENGINE_LANE_JOB], job, fault);
}

static void bench_set(struct bench *bench, bool *flag)
{
    pthread_mutex_lock(&bench->lock);
    *flag = true;
    pthread_cond_broadcast(&bench->changed);
    pthread_mutex_unlock(&bench->lock);
}

static void bench_wait_done(struct bench *bench, unsigned count)
{
    pthread_mutex_lock(&bench->lock);
    while (bench->done < count) {
        pthread_cond_wait(&bench->changed, &bench->lock);
    }
    pthread_mutex_unlock(&bench->lock);
}

static void bench_wait_running(struct bench *bench)
{
    pthread_mutex_lock(&bench->lock);
    while (!bench->running) {
        pthread_cond_wait(&bench->changed, &bench->lock);
    }
    pthread_mutex_unlock(&bench->lock);
}

/* Runs until it is released or cancelled. */
static bool job_wait(struct engine_job *job, struct proto_fault *fault)
{
    struct bench *bench = job->context;
    bench_set(bench, &bench->running);
    for (;;) {
        pthread_mutex_lock(&bench->lock);
        bool released = bench->released;
        pthread_mutex_unlock(&bench->lock);
        if (released) {
            return true;
        }
        if (!engine_job_progress(job, 0.5, "waiting")) {
            return proto_fault_set(fault, PROTO_CANCELLED, "", "cancelled");
        }
        usleep(1000);
    }
}

static bool job_fail(struct engine_job *job, struct proto_fault *fault)
{
    (void)job;
    return proto_fault_set(fault, PROTO_NO_EVIDENCE, "", "nothing there");
}

static void on_done(void *context, const struct engine_job_info *info)
{
    struct bench *bench = context;
    pthread_mutex_lock(&bench->lock);
    bench->done++;
    bench->cancelled += info->state == ENGINE_JOB_CANCELLED;
    bench->last = *info;
    pthread_cond_broadcast(&bench->changed);
    pthread_mutex_unlock(&bench->lock);
}

static void on_progress(void *context, const struct engine_job_info *info)
{
    struct bench *bench = context;
    (void)info;
    bench->progressed++;
}

static void keep(void *context)
{
    (void)context;
}

static struct engine_job *job_make(struct bench *bench,
                                   bool (*run)(struct engine_job *job, struct proto_fault *fault))
{
    struct engine_job *job = calloc(1, sizeof *job);
    assert_non_null(job);
    job->engine = &bench->engine;
    job->info.op = PROTO_OP_ICP_LEARN;
    job->context = bench;
    job->run = run;
    job->destroy = keep;
    job->on_done = on_done;
    job->on_progress = on_progress;
    job->callback_context = bench;
    return job;
}

static void a_running_job_is_cancelled_and_says_so(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    bench_open(&bench);
    uint64_t number = bench_queue(&bench, job_make(&bench, job_wait), &fault);
    assert_int_equal(number, 1);
    bench_wait_running(&bench);
    assert_true(engine_job_cancel(&bench.engine, number, &fault));
    bench_wait_done(&bench, 1);
    assert_int_equal(bench.last.state, ENGINE_JOB_CANCELLED);
    assert_int_equal(bench.last.fault.code, PROTO_CANCELLED);
    assert_false(engine_job_cancel(&bench.engine, number, &fault));
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    bench_close(&bench);
}

static void a_full_queue_is_busy_and_keeps_the_job(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    bench_open(&bench);
    assert_true(bench_queue(&bench, job_make(&bench, job_wait), &fault) > 0);
    bench_wait_running(&bench);
    unsigned queued = 0;
    struct engine_job *job = job_make(&bench, job_fail);
    while (bench_queue(&bench, job, &fault) > 0) {
        queued++;
        assert_true(queued < 1000);
        job = job_make(&bench, job_fail);
    }
    assert_int_equal(fault.code, PROTO_BUSY);
    free(job);
    bench_set(&bench, &bench.released);
    bench_wait_done(&bench, 1 + queued);
    bench_close(&bench);
}

/* In the queue of every lane; that of writes is tested with the store. */
static void what_waited_beyond_its_deadline_does_not_begin(void **state)
{
    (void)state;
    for (unsigned lane = 0; lane < ENGINE_LANES; lane++) {
        struct bench bench;
        struct proto_fault fault = {0};
        bench_open_as(&bench, &engine_lane_rows[lane]);
        bench_queue(&bench, job_make(&bench, job_wait), &fault);
        bench_wait_running(&bench);
        struct engine_job *late = job_make(&bench, job_fail);
        late->deadline_ms = 1500;
        assert_int_equal(bench_queue(&bench, late, &fault), 2);
        bench.now_ms = 2000;
        bench_set(&bench, &bench.released);
        bench_wait_done(&bench, 2);
        assert_int_equal(bench.last.fault.code, PROTO_DEADLINE);
        bench_close(&bench);
    }
}

/* Back by a day, or on: what waits is run or refused in its turn, and never waits for the clock. */
static void a_clock_that_jumps_makes_nothing_wait(void **state)
{
    (void)state;
    static const int64_t jumps_ms[] = {-86400000, 86400000};
    for (unsigned i = 0; i < 2; i++) {
        struct bench bench;
        struct proto_fault fault = {0};
        bench_open_as(&bench, &engine_lane_rows[ENGINE_LANE_SCAN]);
        bench_queue(&bench, job_make(&bench, job_wait), &fault);
        bench_wait_running(&bench);
        struct engine_job *due = job_make(&bench, job_fail);
        due->deadline_ms = 1500;
        bench_queue(&bench, due, &fault);
        bench.now_ms += jumps_ms[i];
        bench_set(&bench, &bench.released);
        bench_wait_done(&bench, 2);
        assert_int_equal(bench.last.fault.code,
                         jumps_ms[i] < 0 ? PROTO_NO_EVIDENCE : PROTO_DEADLINE);
        bench_close(&bench);
    }
}

static void jobs_are_listed_newest_first_with_their_faults(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    struct engine_job_info infos[8];
    bench_open(&bench);
    bench_queue(&bench, job_make(&bench, job_fail), &fault);
    bench_wait_done(&bench, 1);
    bench_queue(&bench, job_make(&bench, job_wait), &fault);
    bench_wait_running(&bench);
    bench_queue(&bench, job_make(&bench, job_fail), &fault);
    assert_int_equal(engine_jobs(&bench.engine, infos, 8), 3);
    assert_int_equal(infos[0].job, 3);
    assert_int_equal(infos[0].state, ENGINE_JOB_QUEUED);
    assert_int_equal(infos[1].state, ENGINE_JOB_RUNNING);
    assert_int_equal(infos[2].state, ENGINE_JOB_FAILED);
    assert_int_equal(infos[2].fault.code, PROTO_NO_EVIDENCE);
    assert_int_equal(engine_jobs(&bench.engine, infos, 2), 2);
    bench_set(&bench, &bench.released);
    bench_close(&bench);
}

static void stopping_cancels_what_runs_and_what_waits(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    bench_open(&bench);
    bench_queue(&bench, job_make(&bench, job_wait), &fault);
    bench_wait_running(&bench);
    bench_queue(&bench, job_make(&bench, job_wait), &fault);
    bench_close(&bench);
    assert_int_equal(bench.done, 2);
    assert_int_equal(bench.last.state, ENGINE_JOB_CANCELLED);
}

static void progress_is_told_when_it_moves_only(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    bench_open(&bench);
    bench_queue(&bench, job_make(&bench, job_wait), &fault);
    bench_wait_running(&bench);
    usleep(20000);
    bench_set(&bench, &bench.released);
    bench_wait_done(&bench, 1);
    assert_int_equal(bench.progressed, 1);
    bench_close(&bench);
}

static void a_scan_does_not_stand_behind_a_job(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    struct engine_job_info infos[8];
    bench_open(&bench);
    struct engine_lane_row row = engine_lane_rows[ENGINE_LANE_SCAN];
    struct engine_lane *scans = &bench.engine.lanes[ENGINE_LANE_SCAN];
    row.view = false; /* there is no store */
    assert_true(engine_lane_start(scans, &bench.engine, &row, &fault));
    bench_queue(&bench, job_make(&bench, job_wait), &fault);
    bench_wait_running(&bench);
    assert_int_equal(engine_lane_queue(scans, job_make(&bench, job_fail), &fault), 2);
    bench_wait_done(&bench, 1);
    assert_int_equal(bench.last.fault.code, PROTO_NO_EVIDENCE);
    /* A scan that has ended is not a job that people would look for in the list. */
    assert_int_equal(engine_jobs(&bench.engine, infos, 8), 1);
    assert_int_equal(infos[0].state, ENGINE_JOB_RUNNING);
    bench_set(&bench, &bench.released);
    engine_lane_stop(scans);
    engine_lane_fini(scans);
    bench_close(&bench);
}

/* And a stop cancels both; a connection that ends, neither. */
static void a_job_does_not_stand_behind_a_scrub(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    bench_open(&bench);
    struct engine_lane *scrubs = &bench.engine.lanes[ENGINE_LANE_SCRUB];
    assert_true(
        engine_lane_start(scrubs, &bench.engine, &engine_lane_rows[ENGINE_LANE_SCRUB], &fault));
    struct engine_job *scrub = job_make(&bench, job_wait);
    scrub->owner = 7;
    uint64_t number = engine_lane_queue(scrubs, scrub, &fault);
    assert_true(number > 0);
    bench_wait_running(&bench);
    bench_queue(&bench, job_make(&bench, job_fail), &fault);
    bench_wait_done(&bench, 1);
    assert_int_equal(bench.last.fault.code, PROTO_NO_EVIDENCE);
    engine_scans_end(&bench.engine, 7);
    struct engine_job_info infos[8];
    assert_int_equal(engine_jobs(&bench.engine, infos, 8), 2);
    assert_int_equal(infos[0].job, number);
    assert_int_equal(infos[0].state, ENGINE_JOB_RUNNING);
    engine_jobs_cancel(&bench.engine, 1);
    bench_wait_done(&bench, 2);
    assert_int_equal(bench.last.state, ENGINE_JOB_CANCELLED);
    engine_lane_stop(scrubs);
    engine_lane_fini(scrubs);
    bench_close(&bench);
}

/* Opens the lane of scans, without a store. */
static struct engine_lane *scans_open(struct bench *bench)
{
    struct proto_fault fault = {0};
    static struct engine_lane_row row;
    struct engine_lane *scans = &bench->engine.lanes[ENGINE_LANE_SCAN];
    row = engine_lane_rows[ENGINE_LANE_SCAN];
    row.view = false;
    assert_true(engine_lane_start(scans, &bench->engine, &row, &fault));
    return scans;
}

static void scans_close(struct engine_lane *scans)
{
    engine_lane_stop(scans);
    engine_lane_fini(scans);
}

static void a_scan_is_listed_while_it_lives_and_can_be_cancelled(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    struct engine_job_info infos[8];
    bench_open(&bench);
    struct engine_lane *scans = scans_open(&bench);
    uint64_t number = engine_lane_queue(scans, job_make(&bench, job_wait), &fault);
    bench_wait_running(&bench);
    assert_int_equal(engine_jobs(&bench.engine, infos, 8), 1);
    assert_int_equal(infos[0].job, number);
    assert_int_equal(infos[0].state, ENGINE_JOB_RUNNING);
    assert_true(engine_job_cancel(&bench.engine, number, &fault));
    bench_wait_done(&bench, 1);
    assert_int_equal(bench.last.fault.code, PROTO_CANCELLED);
    assert_int_equal(engine_jobs(&bench.engine, infos, 8), 0);
    scans_close(scans);
    bench_close(&bench);
}

static void scans_end_with_their_connection_and_others_go_on(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    bench_open(&bench);
    struct engine_lane *scans = scans_open(&bench);
    struct engine_job *gone[3];
    for (size_t i = 0; i < 3; i++) {
        gone[i] = job_make(&bench, i == 0 ? job_wait : job_fail);
        gone[i]->owner = 7;
        assert_true(engine_lane_queue(scans, gone[i], &fault) > 0);
    }
    bench_wait_running(&bench);
    struct engine_job *other = job_make(&bench, job_fail);
    other->owner = 8;
    assert_true(engine_lane_queue(scans, other, &fault) > 0);
    engine_scans_end(&bench.engine, 7); /* the running one is waiting for nothing else */
    bench_wait_done(&bench, 4);
    assert_int_equal(bench.cancelled, 3);
    scans_close(scans);
    bench_close(&bench);
}

static void scans_are_answered_when_the_server_stops_and_time_is_over(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    bench_open(&bench);
    struct engine_lane *scans = scans_open(&bench);
    bench_queue(&bench, job_make(&bench, job_wait), &fault);
    bench_wait_running(&bench);
    engine_jobs_cancel(&bench.engine, 1700);
    bench_wait_done(&bench, 1);
    assert_int_equal(bench.last.fault.code, PROTO_CANCELLED); /* the job, at once */
    assert_true(engine_lane_queue(scans, job_make(&bench, job_fail), &fault) > 0);
    bench_wait_done(&bench, 2);
    assert_int_equal(bench.last.fault.code, PROTO_NO_EVIDENCE); /* in time: it ran */
    bench.now_ms = 1701;
    assert_true(engine_lane_queue(scans, job_make(&bench, job_fail), &fault) > 0);
    bench_wait_done(&bench, 3);
    assert_int_equal(bench.last.fault.code, PROTO_SHUTTING_DOWN);
    scans_close(scans);
    bench_close(&bench);
}

/* How many jobs ran in the last call, and how many calls there were: in the order of calls. */
static size_t many_counts[8];
static size_t many_calls;

/* The second of a call fails; a call waits until it is released or its first job cancelled. */
static void many_run(struct engine_job *const *jobs, size_t count, bool *oks,
                     struct proto_fault *faults)
{
    struct bench *bench = jobs[0]->context;
    struct proto_fault ignored = {0};
    many_counts[many_calls++] = count;
    bool released = job_wait(jobs[0], &ignored);
    for (size_t i = 0; i < count; i++) {
        oks[i] = i != 1 && released;
        if (!released) {
            /* Stopping reaches all of them, not the first alone. */
            assert_true(atomic_load(&jobs[i]->cancel));
            proto_fault_set(&faults[i], PROTO_CANCELLED, "", "cancelled");
        } else if (i == 1) {
            proto_fault_set(&faults[i], PROTO_NO_EVIDENCE, "", "nothing there");
        }
    }
    assert_non_null(bench);
}

static struct engine_job *many_make(struct bench *bench)
{
    struct engine_job *job = job_make(bench, job_fail);
    job->run_many = many_run;
    return job;
}

static void jobs_that_wait_for_one_function_run_in_one_call(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    struct engine_job_info infos[8];
    bench_open(&bench);
    many_calls = 0;
    bench_queue(&bench, many_make(&bench), &fault); /* 1: alone */
    bench_wait_running(&bench);
    struct engine_job *late = many_make(&bench);
    late->deadline_ms = 1500;
    bench_queue(&bench, late, &fault);                       /* 2: too late */
    bench_queue(&bench, many_make(&bench), &fault);          /* 3 */
    bench_queue(&bench, job_make(&bench, job_fail), &fault); /* 4: not of them */
    bench_queue(&bench, many_make(&bench), &fault);          /* 5 */
    bench_queue(&bench, many_make(&bench), &fault);          /* 6: cancelled */
    assert_true(engine_job_cancel(&bench.engine, 6, &fault));
    bench.now_ms = 2000;
    bench_set(&bench, &bench.released);
    bench_wait_done(&bench, 6);
    assert_int_equal(many_calls, 2);
    assert_int_equal(many_counts[0], 1);
    assert_int_equal(many_counts[1], 2);
    enum engine_job_state expected[] = {ENGINE_JOB_DONE,   ENGINE_JOB_FAILED, ENGINE_JOB_DONE,
                                        ENGINE_JOB_FAILED, ENGINE_JOB_FAILED, ENGINE_JOB_CANCELLED};
    assert_int_equal(engine_jobs(&bench.engine, infos, 8), 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(infos[i].state, expected[infos[i].job - 1]);
    }
    bench_close(&bench);
}

/* Three large replies to one owner, and one to another: two and it run together, then the third. */
static void large_replies_to_one_owner_do_not_all_run_together(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    bench_open(&bench);
    many_calls = 0;
    bench_queue(&bench, many_make(&bench), &fault); /* alone */
    bench_wait_running(&bench);
    for (unsigned i = 0; i < 4; i++) {
        struct engine_job *job = many_make(&bench);
        job->owner = i < 3 ? 7 : 8;
        job->reply_bytes = ENGINE_REPLIES_BYTES / 2;
        bench_queue(&bench, job, &fault);
    }
    bench_set(&bench, &bench.released);
    bench_wait_done(&bench, 5);
    assert_int_equal(many_calls, 3);
    assert_int_equal(many_counts[1], 3);
    assert_int_equal(many_counts[2], 1);
    bench_close(&bench);
}

static void stopping_cancels_all_that_run_together(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    bench_open(&bench);
    many_calls = 0;
    bench_queue(&bench, job_make(&bench, job_wait), &fault);
    bench_wait_running(&bench);
    for (int i = 0; i < 3; i++) {
        bench_queue(&bench, many_make(&bench), &fault);
    }
    pthread_mutex_lock(&bench.lock);
    bench.running = false;
    pthread_mutex_unlock(&bench.lock);
    assert_true(engine_job_cancel(&bench.engine, 1, &fault));
    bench_wait_running(&bench);
    bench_close(&bench);
    assert_int_equal(bench.done, 4);
    assert_int_equal(bench.last.state, ENGINE_JOB_CANCELLED);
}

/* Words are the code's own, what varies stands in fields. */
static void the_end_of_a_job_is_logged_in_fields(void **state)
{
    (void)state;
    struct bench bench;
    struct proto_fault fault = {0};
    char path[] = "/tmp/icpd-job-log-XXXXXX";
    char line[512] = "";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    struct base_log_options options = {
        .path = path, .level = BASE_LOG_INFO, .format = BASE_LOG_JSON};
    struct base_log *log = base_log_create(&options, &fault);
    assert_non_null(log);
    bench_open(&bench);
    bench.engine.options.log = log;
    bench_queue(&bench, job_make(&bench, job_fail), &fault);
    bench_wait_done(&bench, 1);
    assert_true(read(fd, line, sizeof line - 1) > 0);
    assert_non_null(strstr(line, "\"level\":\"info\",\"area\":\"engine\","
                                 "\"message\":\"a job ended\",\"job\":1,\"op\":\"icp-learn\","
                                 "\"state\":\"failed\",\"error\":\"no-evidence\""));
    assert_null(strstr(line, "nothing there")); /* the message of a fault may quote a request */
    bench_close(&bench);
    base_log_destroy(log);
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_running_job_is_cancelled_and_says_so),
        cmocka_unit_test(a_full_queue_is_busy_and_keeps_the_job),
        cmocka_unit_test(what_waited_beyond_its_deadline_does_not_begin),
        cmocka_unit_test(a_clock_that_jumps_makes_nothing_wait),
        cmocka_unit_test(jobs_are_listed_newest_first_with_their_faults),
        cmocka_unit_test(stopping_cancels_what_runs_and_what_waits),
        cmocka_unit_test(progress_is_told_when_it_moves_only),
        cmocka_unit_test(a_scan_does_not_stand_behind_a_job),
        cmocka_unit_test(a_job_does_not_stand_behind_a_scrub),
        cmocka_unit_test(a_scan_is_listed_while_it_lives_and_can_be_cancelled),
        cmocka_unit_test(scans_end_with_their_connection_and_others_go_on),
        cmocka_unit_test(scans_are_answered_when_the_server_stops_and_time_is_over),
        cmocka_unit_test(jobs_that_wait_for_one_function_run_in_one_call),
        cmocka_unit_test(large_replies_to_one_owner_do_not_all_run_together),
        cmocka_unit_test(stopping_cancels_all_that_run_together),
        cmocka_unit_test(the_end_of_a_job_is_logged_in_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
