/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the engine share and nobody else sees. */
#ifndef ENGINE_ENGINE_INTERNAL_H
#define ENGINE_ENGINE_INTERNAL_H

#include <pthread.h>

#include "server/engine/engine_create.h"
#include "server/engine/job.h"

struct engine_scores_keeper;

/* A lane: one thread, the queue that it works off, and what it did. Jobs and scans have one each.
 */
struct engine_lane_options {
    const char *what; /* "job" or "scan", for messages */
    size_t queued_max;
    size_t past_max; /* ended work that is remembered; 0: none */
    int nice;        /* of the thread; 0: as the server's */
    bool quiet;      /* does not log what ends */
};

struct engine_lane {
    struct engine *engine;
    struct engine_lane_options options;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool started;
    bool stopping;
    uint64_t last;              /* number of the newest job */
    struct engine_job *head;    /* queued, oldest first */
    struct engine_job **tail;   /* where the next one goes */
    struct engine_job *running; /* and those that run in the same call, by next */
    size_t queued;
    struct engine_job_info *past; /* ring of ended jobs */
    size_t past_count;
};

enum { ENGINE_FOLLOWERS_MAX = 16 }; /* parts of the server, not requests: a handful */

/* follow.c */
struct engine_followers {
    pthread_mutex_t lock; /* held by the writer from BEGIN to the end of a commit */
    struct engine_follower list[ENGINE_FOLLOWERS_MAX];
    size_t count;
};
void engine_followers_init(struct engine_followers *followers);
void engine_followers_fini(struct engine_followers *followers);
/* As store_options.on_commit; context is the followers. */
void engine_followers_tell(void *context, const struct store_commit *commit);

struct engine {
    struct engine_options options;
    struct store *store;
    pthread_mutex_t state_lock;  /* guards state; held for a pointer swap only */
    struct engine_state *state;  /* never NULL */
    _Atomic uint64_t generation; /* of state: lets workers see a change without the lock */
    struct engine_lane jobs;
    struct engine_lane scans;
    struct engine_followers followers;
    struct engine_scores_keeper *scores; /* scores.h */
    struct engine_worker *scan_worker;   /* of the scan thread; NULL while it does not run */
};

/* registry.c: the store tells of a schema, an ICP version or a switch. */
void engine_registry_change(void *context, const struct store_change *change);
/* After the store is open: works out who is on a list. */
bool engine_registry_members(struct engine *engine, struct proto_fault *fault);
/* Tells the store how rows of the active version are encoded. */
void engine_registry_encoder(struct engine *engine);

bool engine_lane_start(struct engine_lane *lane, struct engine *engine,
                       const struct engine_lane_options *options, struct proto_fault *fault);
/* Cancels all, waits for what runs, calls on_done of each. */
void engine_lane_stop(struct engine_lane *lane);
/* Takes the job. Returns its number, 0 with *fault (the job is then still the caller's). */
uint64_t engine_lane_queue(struct engine_lane *lane, struct engine_job *job,
                           struct proto_fault *fault);

/* The two lanes; _jobs_ and _scans_ differ in priority, bounds and memory of what ended. */
bool engine_jobs_start(struct engine *engine, struct proto_fault *fault);
bool engine_scans_start(struct engine *engine, struct proto_fault *fault);
uint64_t engine_job_queue(struct engine *engine, struct engine_job *job, struct proto_fault *fault);

#endif
