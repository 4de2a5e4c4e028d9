/* SPDX-License-Identifier: Apache-2.0 */
/* A lane (lane.def): some threads, the bounded queue that they work off, and what they did. A full
 * queue is PROTO_BUSY. Requests carry an owner, the connection: each owner's next piece stands
 * behind one piece of every other owner, so that one connection cannot keep the others waiting.
 *
 * Ownership: a queued piece is the lane's, which frees it. Errors: as said. Threads: any; the lock
 * is held for microseconds. Cost: queueing looks at what waits, 64 pieces at most. */
#ifndef ENGINE_LANE_H
#define ENGINE_LANE_H

#include <pthread.h>

#include "server/engine/job.h"

struct engine_lane_row {
    enum engine_lane_id id;
    const char *name;
    unsigned threads;
    size_t queued_max, bytes_max, past_max;
    int nice;
    unsigned together_max;
    bool view;
    const char *help;
};
/* Rows of the table, by enum engine_lane_id. */
extern const struct engine_lane_row engine_lane_rows[ENGINE_LANES];
enum { ENGINE_LANE_QUEUED_MAX = 64, ENGINE_LANE_THREADS_MAX = 4 }; /* of any row */

struct engine_lane_thread {
    struct engine_lane *lane;
    unsigned place; /* among the threads of all lanes */
    pthread_t id;
    struct engine_worker *worker; /* NULL: the lane has no views */
    struct engine_job *running;   /* and those that run in the same call, by next */
};

struct engine_lane {
    struct engine *engine;
    const struct engine_lane_row *row;
    pthread_mutex_t lock; /* guards all that follows */
    pthread_cond_t wake;
    struct engine_lane_thread threads[ENGINE_LANE_THREADS_MAX];
    unsigned started;
    bool stopping;
    _Atomic int64_t until_ms; /* wall clock by which every piece must have ended; 0: none */
    uint64_t turn;            /* of the newest piece that was begun */
    struct engine_job *head;  /* what waits, by turn */
    size_t queued;
    size_t bytes;                 /* of what waits and runs */
    struct engine_job *waits;     /* for a sequence (lane_wait.h), the oldest first */
    _Atomic size_t waiting;       /* of them */
    struct engine_job_info *past; /* ring of what has ended */
    size_t past_count;
};

/* The store is open, if the row has views. False with *fault, nothing started. */
bool engine_lane_start(struct engine_lane *lane, struct engine *engine,
                       const struct engine_lane_row *row, struct proto_fault *fault);
/* Cancels all, waits for what runs, calls on_done of each; a lane that never started is fine. The
 * workers live on until _fini. */
void engine_lane_stop(struct engine_lane *lane);
void engine_lane_fini(struct engine_lane *lane);
/* More is applied, or somebody's pieces are not wanted any more: those that wait for a sequence are
 * looked at. A lane that never started is fine. */
void engine_lane_wake(struct engine_lane *lane);
/* Takes the piece. Returns its number, 0 with *fault (it is then still the caller's). */
uint64_t engine_lane_queue(struct engine_lane *lane, struct engine_job *job,
                           struct proto_fault *fault);

#endif
