/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "server/base/thread.h"
#include "server/lookalike/lookalike_parts.h"

/* Of each commit, on the writer thread. */
static void note(void *context, const struct store_commit *commit)
{
    struct lookalike *lookalike = context;
    if (commit->phase != STORE_COMMIT_DONE) {
        return;
    }
    pthread_mutex_lock(&lookalike->lock);
    if (lookalike->noting) {
        lookalike->noted_seq = commit->seq;
        bool good = !lookalike->ready ||
                    lookalike_slots_add(&lookalike->pending, commit->slots, commit->count);
        good = (!lookalike->building ||
                lookalike_slots_add(&lookalike->replayed, commit->slots, commit->count)) &&
               good;
        lookalike->lost = lookalike->lost || !good;
        pthread_cond_signal(&lookalike->wake);
    }
    pthread_mutex_unlock(&lookalike->lock);
}

/* Notes commits before the keeper takes its first view, so that it misses none. */
static bool start(struct lookalike *lookalike, struct proto_fault *fault)
{
    const struct engine_follower follower = {.context = lookalike, .on_commit = note};
    lookalike->building = true;
    lookalike->opening = true;
    lookalike->noting = true;
    if (!engine_follow(lookalike->engine, &follower, fault)) {
        return false;
    }
    lookalike->started = base_thread_start(&lookalike->thread, lookalike_keep, lookalike) == 0;
    return lookalike->started ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "the look-alike thread cannot be started");
}

struct lookalike *lookalike_create(struct engine *engine, uint64_t graph_bytes_max,
                                   struct proto_fault *fault)
{
    struct lookalike *lookalike = calloc(1, sizeof *lookalike);
    if (!lookalike) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for look-alike search");
        return NULL;
    }
    lookalike->engine = engine;
    lookalike->graph_bytes_max = graph_bytes_max;
    pthread_rwlock_init(&lookalike->set_lock, NULL);
    pthread_mutex_init(&lookalike->lock, NULL);
    pthread_cond_init(&lookalike->wake, NULL);
    /* It is waited for by time; the wall clock may be set back. */
    pthread_condattr_t steady;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&lookalike->changed, &steady);
    pthread_condattr_destroy(&steady);
    if (!start(lookalike, fault)) {
        lookalike_destroy(lookalike);
        return NULL;
    }
    return lookalike;
}

static void stop(struct lookalike *lookalike)
{
    engine_unfollow(lookalike->engine, lookalike);
    if (!lookalike->started) {
        return;
    }
    pthread_mutex_lock(&lookalike->lock);
    lookalike->stopping = true;
    pthread_cond_broadcast(&lookalike->wake);
    pthread_cond_broadcast(&lookalike->changed);
    pthread_mutex_unlock(&lookalike->lock);
    pthread_join(lookalike->thread, NULL);
    lookalike->started = false;
}

void lookalike_destroy(struct lookalike *lookalike)
{
    if (!lookalike) {
        return;
    }
    stop(lookalike);
    lookalike_set_destroy(lookalike->set);
    free(lookalike->pending.list);
    free(lookalike->replayed.list);
    json_decref(lookalike->wish);
    pthread_cond_destroy(&lookalike->changed);
    pthread_cond_destroy(&lookalike->wake);
    pthread_mutex_destroy(&lookalike->lock);
    pthread_rwlock_destroy(&lookalike->set_lock);
    free(lookalike);
}

void lookalike_stats(struct lookalike *lookalike, struct lookalike_stats *stats)
{
    *stats = (struct lookalike_stats){0};
    pthread_rwlock_rdlock(&lookalike->set_lock);
    if (lookalike->set) {
        const struct lookalike_set *set = lookalike->set;
        stats->vectors = similar_count(set->set);
        stats->lists = similar_list_count(set->set);
        stats->dims = set->plan->dims;
        stats->metric = set->plan->metric;
        stats->opened = set->opened;
        stats->plan_digest = set->plan->digest;
        for (int kind = 0; kind < SIMILAR_KINDS; kind++) {
            stats->bytes += similar_memory_bytes(set->blocks->memory, (enum similar_kind)kind);
        }
        struct similar_graph_figures figures;
        similar_graph_figures(set->set, &figures);
        stats->graph_vectors = figures.answers ? figures.vertices - figures.removed : 0;
        stats->graph_bytes = figures.bytes;
    }
    pthread_mutex_lock(&lookalike->lock);
    stats->ready = lookalike->ready && !lookalike->lost;
    stats->building = lookalike->building;
    stats->pending = lookalike->pending.count;
    stats->seq = lookalike->applied_seq;
    pthread_mutex_unlock(&lookalike->lock);
    pthread_rwlock_unlock(&lookalike->set_lock);
}

char *lookalike_wishes(struct lookalike *lookalike)
{
    json_t *wish = lookalike_wish_now(lookalike);
    char *text = wish ? json_dumps(wish, JSON_COMPACT) : NULL;
    json_decref(wish);
    return text;
}

char *lookalike_plan(struct lookalike *lookalike)
{
    pthread_rwlock_rdlock(&lookalike->set_lock);
    char *text = lookalike->set ? feature_vectorizer_print(lookalike->set->plan) : NULL;
    pthread_rwlock_unlock(&lookalike->set_lock);
    return text;
}
