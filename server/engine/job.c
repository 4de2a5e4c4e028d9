/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes: work that must not run on an event loop. Each lane is one thread with a bounded queue and
 * a ring of what has ended. The lane of jobs takes minutes a piece, at low priority; the lane of
 * scans walks the base for a request that somebody waits for, and never stands behind a job. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <unistd.h>

#include "server/engine/engine_internal.h"

enum { LANE_QUEUED_MAX = 64 }; /* of any lane */

static const struct engine_lane_options jobs_options = {
    .what = "job",
    .queued_max = 16, /* each may run for minutes; more would only hide that they never come */
    .past_max = 64,
    .nice = 10,
};

/* A scan of a million accounts takes some 30 ms: a full queue is about two seconds away. */
static const struct engine_lane_options scans_options = {
    .what = "scan", .queued_max = LANE_QUEUED_MAX, .quiet = true};

static const char *const state_names[] = {"queued", "running", "done", "failed", "cancelled"};

const char *engine_job_state_name(enum engine_job_state state)
{
    return state_names[state];
}

static void past_add(struct engine_lane *lane, const struct engine_job_info *info)
{
    if (lane->options.past_max == 0) {
        return;
    }
    if (lane->past_count == lane->options.past_max) {
        lane->past_count--;
        memmove(lane->past, lane->past + 1, lane->past_count * sizeof *lane->past);
    }
    lane->past[lane->past_count++] = *info;
}

static void job_finish(struct engine_lane *lane, struct engine_job *job)
{
    pthread_mutex_lock(&lane->lock);
    job->info.ended_ms = engine_now_ms(lane->engine);
    past_add(lane, &job->info);
    if (lane->running == job) {
        lane->running = NULL;
    }
    struct engine_job_info info = job->info;
    pthread_mutex_unlock(&lane->lock);
    if (!lane->options.quiet) {
        engine_log(lane->engine, LOG_INFO, "%s %" PRIu64 " %s", lane->options.what, info.job,
                   engine_job_state_name(info.state));
    }
    if (job->on_done) {
        job->on_done(job->callback_context, &info);
    }
    job->destroy(job->context);
    free(job);
}

static void job_refuse(struct engine_lane *lane, struct engine_job *job,
                       enum engine_job_state state, enum proto_error code, const char *why)
{
    pthread_mutex_lock(&lane->lock);
    job->info.state = state;
    proto_fault_set(&job->info.fault, code, "", "the %s %s", lane->options.what, why);
    pthread_mutex_unlock(&lane->lock);
    job_finish(lane, job);
}

/* Whether a job may still begin; refuses it if not. */
static bool job_may_begin(struct engine_lane *lane, struct engine_job *job)
{
    if (atomic_load(&job->cancel)) {
        job_refuse(lane, job, ENGINE_JOB_CANCELLED, PROTO_CANCELLED,
                   "was cancelled before it began");
        return false;
    }
    if (job->deadline_ms > 0 && engine_now_ms(lane->engine) > job->deadline_ms) {
        job_refuse(lane, job, ENGINE_JOB_FAILED, PROTO_DEADLINE,
                   "could not begin before the request's deadline");
        return false;
    }
    return true;
}

static void job_end(struct engine_lane *lane, struct engine_job *job, bool ok,
                    const struct proto_fault *fault)
{
    pthread_mutex_lock(&lane->lock);
    job->info.fault = *fault;
    job->info.state = ok                               ? ENGINE_JOB_DONE
                      : fault->code == PROTO_CANCELLED ? ENGINE_JOB_CANCELLED
                                                       : ENGINE_JOB_FAILED;
    if (ok) {
        job->info.done = 1;
    }
    pthread_mutex_unlock(&lane->lock);
    job_finish(lane, job);
}

static void job_run(struct engine_lane *lane, struct engine_job *job)
{
    if (job_may_begin(lane, job)) {
        struct proto_fault fault = {0};
        bool ok = job->run(job, &fault);
        job_end(lane, job, ok, &fault);
    }
}

/* Takes what waits for the same function out of the queue, behind `jobs[0]`, which runs already. */
static size_t jobs_gather(struct engine_lane *lane, struct engine_job **jobs)
{
    size_t count = 1;
    pthread_mutex_lock(&lane->lock);
    for (struct engine_job **at = &lane->head; *at && count < ENGINE_SCANS_TOGETHER;) {
        struct engine_job *job = *at;
        if (job->run_many != jobs[0]->run_many) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        lane->tail = job->next ? lane->tail : at;
        lane->queued--;
        job->next = NULL;
        job->info.state = ENGINE_JOB_RUNNING;
        job->info.started_ms = engine_now_ms(lane->engine);
        atomic_store(&job->cancel, atomic_load(&job->cancel) || lane->stopping);
        jobs[count - 1]->next = job; /* so that stopping finds it */
        jobs[count++] = job;
    }
    pthread_mutex_unlock(&lane->lock);
    return count;
}

static void jobs_run(struct engine_lane *lane, struct engine_job *first)
{
    struct engine_job *jobs[ENGINE_SCANS_TOGETHER] = {first};
    struct proto_fault faults[ENGINE_SCANS_TOGETHER] = {0};
    bool oks[ENGINE_SCANS_TOGETHER] = {false};
    size_t gathered = jobs_gather(lane, jobs);
    size_t count = 0;
    for (size_t i = 0; i < gathered; i++) {
        struct engine_job *job = jobs[i];
        bool gone = atomic_load(&job->cancel) ||
                    (job->deadline_ms > 0 && engine_now_ms(lane->engine) > job->deadline_ms);
        if (!gone) {
            jobs[count++] = job;
            continue;
        }
        pthread_mutex_lock(&lane->lock); /* it is freed: out of the chain with it */
        struct engine_job **at = &lane->running;
        while (*at != job) {
            at = &(*at)->next;
        }
        *at = job->next;
        pthread_mutex_unlock(&lane->lock);
        (void)job_may_begin(lane, job);
    }
    if (count > 0) { /* the first of all may be gone by now */
        jobs[0]->run_many(jobs, count, oks, faults);
    }
    pthread_mutex_lock(&lane->lock);
    lane->running = NULL;
    pthread_mutex_unlock(&lane->lock);
    for (size_t i = 0; i < count; i++) {
        job_end(lane, jobs[i], oks[i], &faults[i]);
    }
}

static struct engine_job *job_next(struct engine_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    while (!lane->head && !lane->stopping) {
        pthread_cond_wait(&lane->wake, &lane->lock);
    }
    struct engine_job *job = lane->head;
    if (job) {
        lane->head = job->next;
        if (!lane->head) {
            lane->tail = &lane->head;
        }
        lane->queued--;
        job->next = NULL;
        lane->running = job;
        job->info.state = ENGINE_JOB_RUNNING;
        job->info.started_ms = engine_now_ms(lane->engine);
        if (lane->stopping) {
            atomic_store(&job->cancel, true);
        }
    }
    pthread_mutex_unlock(&lane->lock);
    return job;
}

static void *lane_main(void *context)
{
    struct engine_lane *lane = context;
    int nice = lane->options.nice;
    /* On Linux a nice value belongs to a thread. Failing to lower it costs fairness, not
     * correctness. */
    if (nice != 0 && setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), nice) != 0) {
        engine_log(lane->engine, LOG_WARNING, "the %s thread could not lower its priority",
                   lane->options.what);
    }
    struct engine_job *job;
    while ((job = job_next(lane)) != NULL) {
        if (job->run_many) {
            jobs_run(lane, job);
        } else {
            job_run(lane, job);
        }
    }
    return NULL;
}

bool engine_lane_start(struct engine_lane *lane, struct engine *engine,
                       const struct engine_lane_options *options, struct proto_fault *fault)
{
    *lane = (struct engine_lane){.engine = engine, .options = *options};
    lane->tail = &lane->head;
    lane->past = calloc(options->past_max + 1, sizeof *lane->past);
    if (!lane->past) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a lane of %ss",
                               options->what);
    }
    pthread_mutex_init(&lane->lock, NULL);
    pthread_cond_init(&lane->wake, NULL);
    if (pthread_create(&lane->thread, NULL, lane_main, lane) != 0) {
        pthread_mutex_destroy(&lane->lock);
        pthread_cond_destroy(&lane->wake);
        free(lane->past);
        lane->past = NULL;
        return proto_fault_set(fault, PROTO_INTERNAL, "", "the %s thread cannot be started",
                               options->what);
    }
    lane->started = true;
    return true;
}

bool engine_jobs_start(struct engine *engine, struct proto_fault *fault)
{
    return engine_lane_start(&engine->jobs, engine, &jobs_options, fault);
}

bool engine_scans_start(struct engine *engine, struct proto_fault *fault)
{
    return engine_lane_start(&engine->scans, engine, &scans_options, fault);
}

void engine_lane_stop(struct engine_lane *lane)
{
    if (!lane->started) {
        return;
    }
    pthread_mutex_lock(&lane->lock);
    lane->stopping = true;
    for (struct engine_job *job = lane->running; job; job = job->next) {
        atomic_store(&job->cancel, true);
    }
    pthread_cond_signal(&lane->wake);
    pthread_mutex_unlock(&lane->lock);
    pthread_join(lane->thread, NULL);
    pthread_mutex_destroy(&lane->lock);
    pthread_cond_destroy(&lane->wake);
    free(lane->past);
    lane->started = false;
}

uint64_t engine_lane_queue(struct engine_lane *lane, struct engine_job *job,
                           struct proto_fault *fault)
{
    uint64_t number = 0;
    pthread_mutex_lock(&lane->lock);
    if (lane->stopping) {
        proto_fault_set(fault, PROTO_SHUTTING_DOWN, "", "the server is stopping");
    } else if (lane->queued >= lane->options.queued_max) {
        proto_fault_set(fault, PROTO_BUSY, "", "%zu %ss wait already; try later", lane->queued,
                        lane->options.what);
    } else {
        number = ++lane->last;
        job->lane = lane;
        job->next = NULL;
        job->info.job = number;
        job->info.state = ENGINE_JOB_QUEUED;
        *lane->tail = job;
        lane->tail = &job->next;
        lane->queued++;
        pthread_cond_signal(&lane->wake);
    }
    pthread_mutex_unlock(&lane->lock);
    return number;
}

uint64_t engine_job_queue(struct engine *engine, struct engine_job *job, struct proto_fault *fault)
{
    return engine_lane_queue(&engine->jobs, job, fault);
}

uint64_t engine_job_submit(struct engine *engine, enum proto_op op,
                           const struct engine_job *request, struct proto_fault *fault)
{
    struct engine_job *job = malloc(sizeof *job);
    uint64_t number = 0;
    if (job) {
        *job = *request;
        job->engine = engine;
        job->info = (struct engine_job_info){.op = op};
        number = engine_job_queue(engine, job, fault);
    } else {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a job");
    }
    if (number == 0) {
        request->destroy(request->context);
        free(job);
    }
    return number;
}

bool engine_job_progress(struct engine_job *job, double done, const char *stage)
{
    struct engine_lane *lane = job->lane;
    pthread_mutex_lock(&lane->lock);
    bool moved = strcmp(job->info.stage, stage) != 0 || done >= job->info.done + 0.01;
    if (moved) {
        snprintf(job->info.stage, sizeof job->info.stage, "%s", stage);
        job->info.done = done;
    }
    struct engine_job_info info = job->info;
    pthread_mutex_unlock(&lane->lock);
    if (moved && job->on_progress) {
        job->on_progress(job->callback_context, &info);
    }
    return !atomic_load(&job->cancel);
}

size_t engine_jobs(struct engine *engine, struct engine_job_info *infos, size_t most)
{
    struct engine_lane *jobs = &engine->jobs;
    size_t count = 0;
    pthread_mutex_lock(&jobs->lock);
    /* Queued jobs are newer than the running one: collect oldest first, then turn the order. */
    struct engine_job_info live[LANE_QUEUED_MAX + 1];
    size_t live_count = 0;
    if (jobs->running) {
        live[live_count++] = jobs->running->info;
    }
    for (struct engine_job *job = jobs->head; job; job = job->next) {
        live[live_count++] = job->info;
    }
    for (size_t i = live_count; i > 0 && count < most; i--) {
        infos[count++] = live[i - 1];
    }
    for (size_t i = jobs->past_count; i > 0 && count < most; i--) {
        infos[count++] = jobs->past[i - 1];
    }
    pthread_mutex_unlock(&jobs->lock);
    return count;
}

void engine_jobs_cancel(struct engine *engine)
{
    struct engine_job_info infos[LANE_QUEUED_MAX + 1];
    size_t count = engine_jobs(engine, infos, LANE_QUEUED_MAX + 1); /* live ones come first */
    for (size_t i = 0; i < count; i++) {
        struct proto_fault fault = {0};
        if (infos[i].state == ENGINE_JOB_QUEUED || infos[i].state == ENGINE_JOB_RUNNING) {
            engine_job_cancel(engine, infos[i].job, &fault); /* it may have ended meanwhile */
        }
    }
}

bool engine_job_cancel(struct engine *engine, uint64_t number, struct proto_fault *fault)
{
    struct engine_lane *jobs = &engine->jobs;
    struct engine_job *found = NULL;
    pthread_mutex_lock(&jobs->lock);
    if (jobs->running && jobs->running->info.job == number) {
        found = jobs->running;
    }
    for (struct engine_job *job = jobs->head; job && !found; job = job->next) {
        if (job->info.job == number) {
            found = job;
        }
    }
    if (found) {
        atomic_store(&found->cancel, true);
    }
    pthread_mutex_unlock(&jobs->lock);
    return found || proto_fault_set(fault, PROTO_NOT_FOUND, "job",
                                    "no job %" PRIu64 " is running or waiting", number);
}
