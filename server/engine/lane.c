/* SPDX-License-Identifier: Apache-2.0 */
/* A lane from the queue to the end of each piece of work.
 *
 * A piece is queued by turn; a thread takes the first, and with it those that wait for the same
 * function if the lane runs them together; it runs, is noted as ended, tells on_done, and is freed.
 * One that waits for a sequence stands beside the queue until that is applied (lane_wait.h). What
 * was cancelled, or whose deadline has passed before it began, is refused in its turn instead of
 * run. Stopping marks all as cancelled and lets the threads work off the queue, so that every
 * on_done runs exactly once. */
#include "server/engine/lane.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "server/base/thread.h"
#include "server/engine/lane_wait.h"
#include "server/engine/worker.h"

const struct engine_lane_row engine_lane_rows[ENGINE_LANES] = {
#define X(NAME, name, threads, queued_max, bytes_max, past_max, nice, together_max, view, help)    \
    {ENGINE_LANE_##NAME, name, threads,      queued_max, bytes_max,                                \
     past_max,           nice, together_max, view,       help},
#include "server/engine/lane.def"
#undef X
};
#define X(NAME, name, threads, queued_max, bytes_max, past_max, nice, together_max, view, help)    \
    _Static_assert((threads) >= 1 && (threads) <= ENGINE_LANE_THREADS_MAX &&                       \
                       (queued_max) <= ENGINE_LANE_QUEUED_MAX && (together_max) >= 1 &&            \
                       (together_max) <= ENGINE_TOGETHER_MAX,                                      \
                   "lane " name " keeps the bounds");
#include "server/engine/lane.def"
#undef X

static const char *const state_names[] = {"queued", "running", "done", "failed", "cancelled"};

const char *engine_job_state_name(enum engine_job_state state)
{
    return state_names[state];
}

static void past_add(struct engine_lane *lane, const struct engine_job_info *info)
{
    if (lane->row->past_max == 0) {
        return;
    }
    if (lane->past_count == lane->row->past_max) {
        lane->past_count--;
        memmove(lane->past, lane->past + 1, lane->past_count * sizeof *lane->past);
    }
    lane->past[lane->past_count++] = *info;
}

static const char *op_name(const struct engine_job_info *info)
{
    const struct proto_op_info *op = proto_op_find((uint8_t)info->op);
    return op ? op->name : "none";
}

static void job_finish(struct engine_lane_thread *thread, struct engine_job *job)
{
    struct engine_lane *lane = thread->lane;
    pthread_mutex_lock(&lane->lock);
    job->info.ended_ms = engine_now_ms(lane->engine);
    job->info.place = thread->place;
    past_add(lane, &job->info);
    if (thread->running == job) {
        thread->running = NULL;
    }
    lane->bytes -= job->bytes;
    struct engine_job_info info = job->info;
    pthread_mutex_unlock(&lane->lock);
    if (lane->row->past_max > 0) {
        base_log(engine_log(lane->engine), BASE_LOG_INFO, "engine", "a job ended",
                 BASE_FIELDS(base_field_uint("job", info.job),
                             base_field_text("op", op_name(&info)),
                             base_field_text("state", engine_job_state_name(info.state)),
                             base_field_error(info.fault.code)));
    }
    if (job->on_done) {
        job->on_done(job->callback_context, &info);
    }
    job->destroy(job->context);
    free(job);
}

static void job_refuse(struct engine_lane_thread *thread, struct engine_job *job,
                       enum engine_job_state state, const struct proto_fault *why)
{
    struct engine_lane *lane = thread->lane;
    pthread_mutex_lock(&lane->lock);
    job->info.state = state;
    job->info.fault = *why;
    pthread_mutex_unlock(&lane->lock);
    job_finish(thread, job);
}

/* Not behind, where it waited for a sequence, and not late. */
static bool job_in_time(const struct engine_job *job, struct proto_fault *fault)
{
    return engine_lane_has_waited(job, fault) && engine_job_in_time(job, fault);
}

/* Whether a job may still begin; refuses it if not. */
static bool job_may_begin(struct engine_lane_thread *thread, struct engine_job *job)
{
    if (atomic_load(&job->cancel)) {
        struct proto_fault cancelled = {0};
        proto_fault_set(&cancelled, PROTO_CANCELLED, "", "the %s was cancelled before it began",
                        thread->lane->row->name);
        job_refuse(thread, job, ENGINE_JOB_CANCELLED, &cancelled);
        return false;
    }
    struct proto_fault late = {0};
    if (!job_in_time(job, &late)) {
        job_refuse(thread, job, ENGINE_JOB_FAILED, &late);
        return false;
    }
    return true;
}

static void job_end(struct engine_lane_thread *thread, struct engine_job *job, bool ok,
                    const struct proto_fault *fault)
{
    pthread_mutex_lock(&thread->lane->lock);
    job->info.fault = *fault;
    job->info.state = ok                               ? ENGINE_JOB_DONE
                      : fault->code == PROTO_CANCELLED ? ENGINE_JOB_CANCELLED
                                                       : ENGINE_JOB_FAILED;
    if (ok) {
        job->info.done = 1;
    }
    pthread_mutex_unlock(&thread->lane->lock);
    job_finish(thread, job);
}

static void job_run(struct engine_lane_thread *thread, struct engine_job *job)
{
    if (job_may_begin(thread, job)) {
        struct proto_fault fault = {0};
        bool ok = job->run(job, &fault);
        job_end(thread, job, ok, &fault);
    }
}

/* Takes the job at *at out of the queue, as the next that runs; under the lock. */
static struct engine_job *job_take(struct engine_lane_thread *thread, struct engine_job **at)
{
    struct engine_lane *lane = thread->lane;
    struct engine_job *job = *at;
    *at = job->next;
    lane->queued--;
    lane->turn = job->turn > lane->turn ? job->turn : lane->turn;
    job->next = NULL;
    job->worker = thread->worker;
    job->info.state = ENGINE_JOB_RUNNING;
    job->info.started_ms = engine_now_ms(lane->engine);
    if (lane->stopping) {
        atomic_store(&job->cancel, true);
    }
    return job;
}

/* Whether a job may run with those that were taken: for the same function, and its owner's replies
 * are not too many yet. */
static bool job_fits(struct engine_job *const *jobs, size_t count, const struct engine_job *job)
{
    size_t bytes = job->reply_bytes;
    for (size_t i = 0; i < count; i++) {
        bytes += jobs[i]->owner == job->owner ? jobs[i]->reply_bytes : 0;
    }
    return job->run_many == jobs[0]->run_many &&
           (bytes == job->reply_bytes || bytes <= ENGINE_REPLIES_BYTES);
}

/* Takes what waits for the same function out of the queue, behind `jobs[0]`, which runs already. */
static size_t jobs_gather(struct engine_lane_thread *thread, struct engine_job **jobs)
{
    struct engine_lane *lane = thread->lane;
    size_t count = 1;
    pthread_mutex_lock(&lane->lock);
    for (struct engine_job **at = &lane->head; *at && count < lane->row->together_max;) {
        if (!job_fits(jobs, count, *at)) {
            at = &(*at)->next;
            continue;
        }
        struct engine_job *job = job_take(thread, at);
        jobs[count - 1]->next = job; /* so that stopping finds it */
        jobs[count++] = job;
    }
    pthread_mutex_unlock(&lane->lock);
    return count;
}

/* Out of the chain of those that run, before it is freed. */
static void job_unchain(struct engine_lane_thread *thread, const struct engine_job *job)
{
    pthread_mutex_lock(&thread->lane->lock);
    struct engine_job **at = &thread->running;
    while (*at != job) {
        at = &(*at)->next;
    }
    *at = job->next;
    pthread_mutex_unlock(&thread->lane->lock);
}

static void jobs_run(struct engine_lane_thread *thread, struct engine_job *first)
{
    struct engine_job *jobs[ENGINE_TOGETHER_MAX] = {first};
    struct proto_fault faults[ENGINE_TOGETHER_MAX] = {0};
    bool oks[ENGINE_TOGETHER_MAX] = {false};
    size_t gathered = jobs_gather(thread, jobs);
    size_t count = 0;
    for (size_t i = 0; i < gathered; i++) {
        struct engine_job *job = jobs[i];
        struct proto_fault late;
        if (!atomic_load(&job->cancel) && job_in_time(job, &late)) {
            jobs[count++] = job;
            continue;
        }
        job_unchain(thread, job);
        (void)job_may_begin(thread, job);
    }
    if (count > 0) { /* the first of all may be gone by now */
        jobs[0]->run_many(jobs, count, oks, faults);
    }
    pthread_mutex_lock(&thread->lane->lock);
    thread->running = NULL;
    pthread_mutex_unlock(&thread->lane->lock);
    for (size_t i = 0; i < count; i++) {
        job_end(thread, jobs[i], oks[i], &faults[i]);
    }
}

/* The turn of an owner's newest piece that waits or runs; that of the lane if it has none. */
static uint64_t turn_of(const struct engine_lane *lane, uint64_t owner)
{
    uint64_t turn = lane->turn;
    for (const struct engine_job *job = lane->head; job; job = job->next) {
        if (job->owner == owner && job->turn > turn) {
            turn = job->turn;
        }
    }
    return turn;
}

/* Behind all whose turn is not later; under the lock. */
static void job_insert(struct engine_lane *lane, struct engine_job *job)
{
    job->turn = turn_of(lane, job->owner) + 1;
    struct engine_job **at = &lane->head;
    while (*at && (*at)->turn <= job->turn) {
        at = &(*at)->next;
    }
    job->next = *at;
    *at = job;
    lane->queued++;
    lane->bytes += job->bytes;
}

/* Those that need not wait for a sequence any longer are queued; under the lock. Returns when to
 * look again though nobody has called (wall clock), 0: never. */
static int64_t waited_queue(struct engine_lane *lane)
{
    int64_t next_ms = 0;
    struct engine_job *job;
    while ((job = engine_lane_waited(lane, &next_ms)) != NULL) {
        job_insert(lane, job);
    }
    return next_ms;
}

/* Waits for work; NULL when the lane stops and nothing is left. */
static struct engine_job *job_next(struct engine_lane_thread *thread)
{
    struct engine_lane *lane = thread->lane;
    pthread_mutex_lock(&lane->lock);
    for (int64_t next_ms = waited_queue(lane); !lane->head && !lane->stopping;
         next_ms = waited_queue(lane)) {
        engine_lane_sleep(lane, next_ms);
    }
    thread->running = lane->head ? job_take(thread, &lane->head) : NULL;
    struct engine_job *job = thread->running;
    pthread_mutex_unlock(&lane->lock);
    return job;
}

static void *lane_main(void *context)
{
    struct engine_lane_thread *thread = context;
    const struct engine_lane_row *row = thread->lane->row;
    /* On Linux a nice value belongs to a thread. Failing to lower it costs fairness, not
     * correctness. */
    if (row->nice != 0 && setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), row->nice) != 0) {
        base_log(engine_log(thread->lane->engine), BASE_LOG_WARN, "engine",
                 "a thread could not lower its priority",
                 BASE_FIELDS(base_field_text("lane", row->name)));
    }
    struct engine_job *job;
    while ((job = job_next(thread)) != NULL) {
        if (job->run_many) {
            jobs_run(thread, job);
        } else {
            job_run(thread, job);
        }
    }
    return NULL;
}

/* Threads of the lanes before this one. */
static unsigned first_place(const struct engine_lane_row *row)
{
    unsigned place = 0;
    for (unsigned i = 0; i < row->id; i++) {
        place += engine_lane_rows[i].threads;
    }
    return place;
}

static bool thread_start(struct engine_lane *lane, unsigned number, struct proto_fault *fault)
{
    struct engine_lane_thread *thread = &lane->threads[number];
    thread->lane = lane;
    thread->place = first_place(lane->row) + number;
    if (lane->row->view) {
        thread->worker = engine_worker_create(lane->engine, fault);
        if (!thread->worker) {
            return false;
        }
        engine_worker_rest(thread->worker);
    }
    if (base_thread_start(&thread->id, lane_main, thread) != 0) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "the %s thread cannot be started",
                               lane->row->name);
    }
    lane->started++;
    return true;
}

bool engine_lane_start(struct engine_lane *lane, struct engine *engine,
                       const struct engine_lane_row *row, struct proto_fault *fault)
{
    *lane = (struct engine_lane){.engine = engine, .row = row};
    lane->past = calloc(row->past_max + 1, sizeof *lane->past);
    if (!lane->past) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a lane of %ss",
                               row->name);
    }
    pthread_mutex_init(&lane->lock, NULL);
    engine_lane_wake_init(lane);
    for (unsigned i = 0; i < row->threads; i++) {
        if (!thread_start(lane, i, fault)) {
            engine_lane_stop(lane);
            engine_lane_fini(lane);
            return false;
        }
    }
    return true;
}

void engine_lane_stop(struct engine_lane *lane)
{
    if (lane->started == 0) {
        return;
    }
    pthread_mutex_lock(&lane->lock);
    lane->stopping = true;
    for (unsigned i = 0; i < lane->started; i++) {
        for (struct engine_job *job = lane->threads[i].running; job; job = job->next) {
            atomic_store(&job->cancel, true);
        }
    }
    pthread_cond_broadcast(&lane->wake);
    pthread_mutex_unlock(&lane->lock);
    for (; lane->started > 0; lane->started--) {
        pthread_join(lane->threads[lane->started - 1].id, NULL);
    }
}

void engine_lane_fini(struct engine_lane *lane)
{
    if (!lane->past) {
        return; /* never started */
    }
    for (unsigned i = 0; i < lane->row->threads; i++) {
        engine_worker_destroy(lane->threads[i].worker);
    }
    pthread_mutex_destroy(&lane->lock);
    pthread_cond_destroy(&lane->wake);
    free(lane->past);
    lane->past = NULL;
}

/* Into the queue, or beside it; under the lock. */
static bool job_take_in(struct engine_lane *lane, struct engine_job *job, struct proto_fault *fault)
{
    job->lane = lane;
    job->info.state = ENGINE_JOB_QUEUED;
    if (engine_lane_must_wait(job)) {
        if (!engine_lane_wait(lane, job, fault)) {
            return false;
        }
    } else {
        job_insert(lane, job);
    }
    job->info.job = engine_job_number(lane->engine);
    return true;
}

uint64_t engine_lane_queue(struct engine_lane *lane, struct engine_job *job,
                           struct proto_fault *fault)
{
    const struct engine_lane_row *row = lane->row;
    uint64_t number = 0;
    pthread_mutex_lock(&lane->lock);
    if (lane->stopping) {
        proto_fault_set(fault, PROTO_SHUTTING_DOWN, "", "the server is stopping");
    } else if (lane->queued >= row->queued_max) {
        proto_fault_set(fault, PROTO_BUSY, "", "%zu %ss wait already; try later", lane->queued,
                        row->name);
    } else if (job->bytes > row->bytes_max - lane->bytes) {
        proto_fault_set(fault, PROTO_BUSY, "", "%zu bytes wait for the %s already; try later",
                        lane->bytes, row->name);
    } else if (job_take_in(lane, job, fault)) {
        number = job->info.job;
        pthread_cond_signal(&lane->wake);
    }
    pthread_mutex_unlock(&lane->lock);
    return number;
}
