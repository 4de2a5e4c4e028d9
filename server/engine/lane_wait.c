/* SPDX-License-Identifier: Apache-2.0 */
#include "server/engine/lane_wait.h"

#include <time.h>

#include "server/engine/engine_internal.h"

/* A server that stops does not wait for what comes from elsewhere. */
static bool is_stopping(const struct engine_lane *lane)
{
    return lane->stopping || atomic_load(&lane->until_ms) != 0;
}

bool engine_lane_must_wait(const struct engine_job *job)
{
    return job->min_seq > 0 && !is_stopping(job->lane) &&
           job->min_seq > engine_applied(job->engine) &&
           engine_now_ms(job->engine) < job->wait_until_ms && !atomic_load(&job->cancel);
}

/* Whether one more has room beside those that wait already. */
static bool has_room(const struct engine_lane *lane, const struct engine_job *job,
                     struct proto_fault *fault)
{
    size_t own = 0;
    size_t bytes = job->bytes;
    for (const struct engine_job *other = lane->waits; other; other = other->next) {
        own += other->owner == job->owner;
        bytes += other->bytes;
    }
    if (own >= ENGINE_OWNER_WAITS_MAX || atomic_load(&lane->waiting) >= ENGINE_WAITS_MAX) {
        return proto_fault_set(fault, PROTO_BUSY, "min_seq",
                               "%zu requests wait for a sequence already, %zu of them of this "
                               "connection; try later",
                               atomic_load(&lane->waiting), own);
    }
    return bytes <= lane->row->bytes_max / ENGINE_WAITS_BYTES_PART ||
           proto_fault_set(fault, PROTO_BUSY, "min_seq",
                           "requests of %zu bytes wait for a sequence already; try later",
                           bytes - job->bytes);
}

bool engine_lane_wait(struct engine_lane *lane, struct engine_job *job, struct proto_fault *fault)
{
    if (!has_room(lane, job, fault)) {
        return false;
    }
    struct engine_job **at = &lane->waits;
    while (*at) {
        at = &(*at)->next;
    }
    job->next = NULL;
    *at = job;
    atomic_fetch_add(&lane->waiting, 1);
    lane->bytes += job->bytes;
    return true;
}

bool engine_lane_has_waited(const struct engine_job *job, struct proto_fault *fault)
{
    if (job->min_seq == 0 || engine_has_applied(job->engine, job->min_seq, fault)) {
        return true;
    }
    if (is_stopping(job->lane)) {
        proto_fault_set(fault, PROTO_SHUTTING_DOWN, "", "the server is stopping");
    }
    return false;
}

struct engine_job *engine_lane_waited(struct engine_lane *lane, int64_t *next_ms)
{
    *next_ms = 0;
    for (struct engine_job **at = &lane->waits; *at; at = &(*at)->next) {
        struct engine_job *job = *at;
        if (!engine_lane_must_wait(job)) {
            *at = job->next;
            lane->bytes -= job->bytes;
            atomic_fetch_sub(&lane->waiting, 1);
            return job;
        }
        if (*next_ms == 0 || job->wait_until_ms < *next_ms) {
            *next_ms = job->wait_until_ms;
        }
    }
    return NULL;
}

void engine_lane_sleep(struct engine_lane *lane, int64_t next_ms)
{
    if (next_ms == 0) {
        pthread_cond_wait(&lane->wake, &lane->lock);
        return;
    }
    int64_t wait_ms = next_ms - engine_now_ms(lane->engine);
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += wait_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_cond_timedwait(&lane->wake, &lane->lock, &until);
}

/* Waiting counts by a clock that nobody sets. */
void engine_lane_wake_init(struct engine_lane *lane)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&lane->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

void engine_waits_end(struct engine *engine, uint64_t owner)
{
    for (unsigned i = 0; i < ENGINE_LANES; i++) {
        struct engine_lane *lane = &engine->lanes[i];
        if (!lane->row || atomic_load(&lane->waiting) == 0) {
            continue;
        }
        pthread_mutex_lock(&lane->lock);
        for (struct engine_job *job = lane->waits; job; job = job->next) {
            job->wait_until_ms = job->owner == owner ? 0 : job->wait_until_ms;
        }
        pthread_cond_broadcast(&lane->wake);
        pthread_mutex_unlock(&lane->lock);
    }
}

void engine_lane_wake(struct engine_lane *lane)
{
    /* A piece is counted before the lane's thread looks at what is applied: so either that sees the
     * new sequence, or the piece is seen here. */
    if (!lane->row || atomic_load(&lane->waiting) == 0) {
        return;
    }
    pthread_mutex_lock(&lane->lock);
    pthread_cond_broadcast(&lane->wake);
    pthread_mutex_unlock(&lane->lock);
}
