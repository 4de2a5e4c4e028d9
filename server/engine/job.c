/* SPDX-License-Identifier: Apache-2.0 */
/* The one job thread: a bounded queue, a ring of what has ended. Heavy work never runs on an event
 * loop, and one at a time leaves the machine to the scores. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <unistd.h>

#include "server/engine/engine_internal.h"

enum {
    JOBS_QUEUED_MAX = 16, /* each may run for minutes; more would only hide that they never come */
    JOBS_PAST_MAX = 64,
    JOB_NICE = 10,
};

static const char *const state_names[] = {"queued", "running", "done", "failed", "cancelled"};

const char *engine_job_state_name(enum engine_job_state state)
{
    return state_names[state];
}

static void job_finish(struct engine *engine, struct engine_job *job)
{
    struct engine_jobs *jobs = &engine->jobs;
    pthread_mutex_lock(&jobs->lock);
    job->info.ended_ms = engine_now_ms(engine);
    if (jobs->past_count == JOBS_PAST_MAX) {
        memmove(jobs->past, jobs->past + 1, (JOBS_PAST_MAX - 1) * sizeof *jobs->past);
        jobs->past_count--;
    }
    jobs->past[jobs->past_count++] = job->info;
    if (jobs->running == job) {
        jobs->running = NULL;
    }
    struct engine_job_info info = job->info;
    pthread_mutex_unlock(&jobs->lock);
    engine_log(engine, LOG_INFO, "job %" PRIu64 " %s", info.job, engine_job_state_name(info.state));
    if (job->on_done) {
        job->on_done(job->callback_context, &info);
    }
    job->destroy(job->context);
    free(job);
}

static void job_refuse(struct engine *engine, struct engine_job *job, enum engine_job_state state,
                       enum proto_error code, const char *message)
{
    job->info.state = state;
    proto_fault_set(&job->info.fault, code, "", "%s", message);
    job_finish(engine, job);
}

static void job_run(struct engine *engine, struct engine_job *job)
{
    if (atomic_load(&job->cancel)) {
        job_refuse(engine, job, ENGINE_JOB_CANCELLED, PROTO_CANCELLED,
                   "the job was cancelled before it began");
        return;
    }
    if (job->deadline_ms > 0 && engine_now_ms(engine) > job->deadline_ms) {
        job_refuse(engine, job, ENGINE_JOB_FAILED, PROTO_DEADLINE,
                   "the request's deadline passed before the job could begin");
        return;
    }
    struct proto_fault fault = {0};
    bool ok = job->run(job, &fault);
    pthread_mutex_lock(&engine->jobs.lock);
    job->info.fault = fault;
    job->info.state = ok                              ? ENGINE_JOB_DONE
                      : fault.code == PROTO_CANCELLED ? ENGINE_JOB_CANCELLED
                                                      : ENGINE_JOB_FAILED;
    if (ok) {
        job->info.done = 1;
    }
    pthread_mutex_unlock(&engine->jobs.lock);
    job_finish(engine, job);
}

static struct engine_job *job_next(struct engine *engine)
{
    struct engine_jobs *jobs = &engine->jobs;
    struct engine_job *job = NULL;
    pthread_mutex_lock(&jobs->lock);
    while (!jobs->head && !jobs->stopping) {
        pthread_cond_wait(&jobs->wake, &jobs->lock);
    }
    job = jobs->head;
    if (job) {
        jobs->head = job->next;
        jobs->queued--;
        jobs->running = job;
        job->info.state = ENGINE_JOB_RUNNING;
        job->info.started_ms = engine_now_ms(engine);
        if (jobs->stopping) {
            atomic_store(&job->cancel, true);
        }
    }
    pthread_mutex_unlock(&jobs->lock);
    return job;
}

static void *jobs_main(void *context)
{
    struct engine *engine = context;
    /* On Linux a nice value belongs to a thread. Failing to lower it costs fairness, not
     * correctness. */
    if (setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), JOB_NICE) != 0) {
        engine_log(engine, LOG_WARNING, "the job thread could not lower its priority");
    }
    struct engine_job *job;
    while ((job = job_next(engine)) != NULL) {
        job_run(engine, job);
    }
    return NULL;
}

bool engine_jobs_start(struct engine *engine, struct proto_fault *fault)
{
    struct engine_jobs *jobs = &engine->jobs;
    jobs->past = calloc(JOBS_PAST_MAX, sizeof *jobs->past);
    if (!jobs->past) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the list of jobs");
    }
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_cond_init(&jobs->wake, NULL);
    if (pthread_create(&jobs->thread, NULL, jobs_main, engine) != 0) {
        free(jobs->past);
        jobs->past = NULL;
        return proto_fault_set(fault, PROTO_INTERNAL, "", "the job thread cannot be started");
    }
    jobs->started = true;
    return true;
}

void engine_jobs_stop(struct engine *engine)
{
    struct engine_jobs *jobs = &engine->jobs;
    if (!jobs->started) {
        return;
    }
    pthread_mutex_lock(&jobs->lock);
    jobs->stopping = true;
    if (jobs->running) {
        atomic_store(&jobs->running->cancel, true);
    }
    pthread_cond_signal(&jobs->wake);
    pthread_mutex_unlock(&jobs->lock);
    pthread_join(jobs->thread, NULL);
    pthread_mutex_destroy(&jobs->lock);
    pthread_cond_destroy(&jobs->wake);
    free(jobs->past);
    jobs->started = false;
}

uint64_t engine_job_queue(struct engine *engine, struct engine_job *job, struct proto_fault *fault)
{
    struct engine_jobs *jobs = &engine->jobs;
    uint64_t number = 0;
    pthread_mutex_lock(&jobs->lock);
    if (jobs->stopping) {
        proto_fault_set(fault, PROTO_SHUTTING_DOWN, "", "the server is stopping");
    } else if (jobs->queued >= JOBS_QUEUED_MAX) {
        proto_fault_set(fault, PROTO_BUSY, "", "%zu jobs wait already; cancel one or try later",
                        jobs->queued);
    } else {
        number = ++jobs->last;
        job->info.job = number;
        job->info.state = ENGINE_JOB_QUEUED;
        struct engine_job **tail = &jobs->head;
        while (*tail) {
            tail = &(*tail)->next;
        }
        *tail = job;
        jobs->queued++;
        pthread_cond_signal(&jobs->wake);
    }
    pthread_mutex_unlock(&jobs->lock);
    return number;
}

bool engine_job_progress(struct engine_job *job, double done, const char *stage)
{
    struct engine_jobs *jobs = &job->engine->jobs;
    pthread_mutex_lock(&jobs->lock);
    bool moved = strcmp(job->info.stage, stage) != 0 || done >= job->info.done + 0.01;
    if (moved) {
        snprintf(job->info.stage, sizeof job->info.stage, "%s", stage);
        job->info.done = done;
    }
    struct engine_job_info info = job->info;
    pthread_mutex_unlock(&jobs->lock);
    if (moved && job->on_progress) {
        job->on_progress(job->callback_context, &info);
    }
    return !atomic_load(&job->cancel);
}

size_t engine_jobs(struct engine *engine, struct engine_job_info *infos, size_t most)
{
    struct engine_jobs *jobs = &engine->jobs;
    size_t count = 0;
    pthread_mutex_lock(&jobs->lock);
    /* Queued jobs are newer than the running one: collect oldest first, then turn the order. */
    struct engine_job_info live[JOBS_QUEUED_MAX + 1];
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

bool engine_job_cancel(struct engine *engine, uint64_t number, struct proto_fault *fault)
{
    struct engine_jobs *jobs = &engine->jobs;
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
