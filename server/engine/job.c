/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs by number: submitted, listed, cancelled, their progress. The lane (lane.c) runs them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/engine/engine_internal.h"

uint64_t engine_job_submit(struct engine *engine, enum proto_op op,
                           const struct engine_job *request, struct proto_fault *fault)
{
    struct engine_job *job = malloc(sizeof *job);
    uint64_t number = 0;
    if (job) {
        *job = *request;
        job->engine = engine;
        job->info = (struct engine_job_info){.op = op};
        number = engine_lane_queue(&engine->lanes[request->lane_id], job, fault);
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

enum { LIVE_MAX = ENGINE_LANE_QUEUED_MAX + ENGINE_LANE_THREADS_MAX };

/* Those that run and wait in the queue, oldest first, LIVE_MAX at most; under the lock. */
static size_t live_jobs(const struct engine_lane *lane, struct engine_job_info *infos)
{
    size_t count = 0;
    for (unsigned i = 0; i < lane->row->threads; i++) {
        if (lane->threads[i].running) {
            infos[count++] = lane->threads[i].running->info;
        }
    }
    for (const struct engine_job *job = lane->head; job && count < LIVE_MAX; job = job->next) {
        infos[count++] = job->info;
    }
    return count;
}

static size_t lane_live(struct engine_lane *lane, struct engine_job_info *infos, size_t most)
{
    struct engine_job_info live[LIVE_MAX];
    size_t count = 0;
    if (!lane->row) {
        return 0; /* not started yet */
    }
    pthread_mutex_lock(&lane->lock);
    for (size_t i = live_jobs(lane, live); i > 0 && count < most; i--) {
        infos[count++] = live[i - 1];
    }
    pthread_mutex_unlock(&lane->lock);
    return count;
}

static size_t lane_past(struct engine_lane *lane, struct engine_job_info *infos, size_t most)
{
    size_t count = 0;
    if (!lane->row) {
        return 0;
    }
    pthread_mutex_lock(&lane->lock);
    for (size_t i = lane->past_count; i > 0 && count < most; i--) {
        infos[count++] = lane->past[i - 1];
    }
    pthread_mutex_unlock(&lane->lock);
    return count;
}

size_t engine_jobs(struct engine *engine, struct engine_job_info *infos, size_t most)
{
    size_t count = 0;
    for (unsigned i = 0; i < ENGINE_LANES; i++) {
        count += lane_live(&engine->lanes[i], infos + count, most - count);
    }
    for (unsigned i = 0; i < ENGINE_LANES; i++) {
        count += lane_past(&engine->lanes[i], infos + count, most - count);
    }
    return count;
}

const char *engine_lane_look(struct engine *engine, enum engine_lane_id id, size_t *waiting,
                             size_t *running)
{
    struct engine_lane *lane = &engine->lanes[id];
    *waiting = *running = 0;
    if (lane->row) { /* else it has not begun */
        pthread_mutex_lock(&lane->lock);
        *waiting = lane->queued + atomic_load(&lane->waiting);
        for (unsigned i = 0; i < lane->row->threads; i++) {
            for (const struct engine_job *job = lane->threads[i].running; job; job = job->next) {
                ++*running;
            }
        }
        pthread_mutex_unlock(&lane->lock);
    }
    return engine_lane_rows[id].name;
}

/* Jobs are remembered, scans are not (lane.def). */
static bool is_of_jobs(unsigned lane)
{
    return engine_lane_rows[lane].past_max > 0;
}

void engine_jobs_cancel(struct engine *engine, int64_t scans_until_ms)
{
    for (unsigned lane = 0; lane < ENGINE_LANES; lane++) {
        struct engine_job_info infos[LIVE_MAX];
        if (!is_of_jobs(lane)) {
            atomic_store(&engine->lanes[lane].until_ms, scans_until_ms);
            engine_lane_wake(&engine->lanes[lane]);
            continue;
        }
        size_t count = lane_live(&engine->lanes[lane], infos, LIVE_MAX);
        for (size_t i = 0; i < count; i++) {
            struct proto_fault fault = {0};
            engine_job_cancel(engine, infos[i].job, &fault); /* it may have ended meanwhile */
        }
    }
}

static void owner_end(struct engine_job *job, uint64_t owner)
{
    for (; job; job = job->next) {
        if (job->owner == owner) {
            atomic_store(&job->cancel, true);
        }
    }
}

void engine_scans_end(struct engine *engine, uint64_t owner)
{
    for (unsigned i = 0; i < ENGINE_LANES; i++) {
        struct engine_lane *lane = &engine->lanes[i];
        if (!lane->row || is_of_jobs(i)) {
            continue;
        }
        pthread_mutex_lock(&lane->lock);
        for (unsigned k = 0; k < lane->row->threads; k++) {
            owner_end(lane->threads[k].running, owner);
        }
        owner_end(lane->head, owner);
        owner_end(lane->waits, owner);
        pthread_mutex_unlock(&lane->lock);
        engine_lane_wake(lane); /* what waits for a sequence ends at once */
    }
}

static struct engine_job *job_find(const struct engine_lane *lane, uint64_t number)
{
    for (unsigned i = 0; i < lane->row->threads; i++) {
        for (struct engine_job *job = lane->threads[i].running; job; job = job->next) {
            if (job->info.job == number) {
                return job;
            }
        }
    }
    for (struct engine_job *job = lane->head; job; job = job->next) {
        if (job->info.job == number) {
            return job;
        }
    }
    return NULL;
}

bool engine_job_cancel(struct engine *engine, uint64_t number, struct proto_fault *fault)
{
    bool found = false;
    for (unsigned i = 0; i < ENGINE_LANES && !found; i++) {
        struct engine_lane *lane = &engine->lanes[i];
        if (!lane->row) {
            continue;
        }
        pthread_mutex_lock(&lane->lock);
        struct engine_job *job = job_find(lane, number);
        if (job) {
            atomic_store(&job->cancel, true);
            found = true;
        }
        pthread_mutex_unlock(&lane->lock);
    }
    return found || proto_fault_set(fault, PROTO_NOT_FOUND, "job",
                                    "no job %" PRIu64 " is running or waiting", number);
}
