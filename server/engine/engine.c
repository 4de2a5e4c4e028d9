/* SPDX-License-Identifier: Apache-2.0 */
#include "server/engine/engine.h"

#include <stdlib.h>

#include "server/engine/engine_internal.h"
#include "server/engine/scores.h"

/* Scores are the first to follow, from before the store is open. */
static bool scores_follow(struct engine *engine, struct proto_fault *fault)
{
    const struct engine_follower follower = {engine->scores, engine_scores_keeper_commit};
    return engine_follow(engine, &follower, fault);
}

void engine_applied_note(struct engine *engine, uint64_t seq)
{
    uint64_t before = atomic_load(&engine->applied.seq);
    while (before < seq && !atomic_compare_exchange_weak(&engine->applied.seq, &before, seq))
        ;
    for (size_t i = 0; i < ENGINE_LANES; i++) {
        engine_lane_wake(&engine->lanes[i]);
    }
}

/* Ahead of the use cases, so that whoever is told of a commit may rely on it. */
static void applied_commit(void *context, const struct store_commit *commit)
{
    if (commit->phase == STORE_COMMIT_DONE) {
        engine_applied_note(context, commit->seq);
    }
}

static bool applied_follow(struct engine *engine, struct proto_fault *fault)
{
    const struct engine_follower follower = {engine, applied_commit};
    return engine_follow(engine, &follower, fault);
}

/* What was stored before this start, and since. */
static bool applied_begin(struct engine *engine, struct proto_fault *fault)
{
    struct store_view *view = store_view_open(engine->store, fault);
    if (!view) {
        return false;
    }
    engine_applied_note(engine, store_view_seq(view));
    store_view_close(view);
    return true;
}

static void lanes_end(struct engine *engine)
{
    engine_stop(engine);
    for (size_t i = 0; i < ENGINE_LANES; i++) {
        engine_lane_fini(&engine->lanes[i]);
    }
}

struct engine *engine_create(const struct engine_options *options, struct proto_fault *fault)
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (!engine) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the engine");
        return NULL;
    }
    engine->options = *options;
    pthread_mutex_init(&engine->state_lock, NULL);
    engine_followers_init(&engine->followers);
    engine->state = calloc(1, sizeof *engine->state);
    if (!engine->state) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the engine");
        goto fail_state;
    }
    engine->state->references = 1;
    engine->scores = engine_scores_keeper_create(engine, fault);
    if (!engine->scores || !scores_follow(engine, fault)) {
        goto fail_store;
    }

    struct store_options store = options->store;
    store.on_change = engine_registry_change;
    store.change_context = engine;
    store.on_commit = engine_followers_tell;
    store.commit_context = &engine->followers;
    store.on_lost = engine_lost;
    store.lost_context = engine;
    store.now_ms = options->now_ms;
    store.now_context = options->now_context;
    store.log = options->log;
    engine->store = store_open(&store, fault);
    if (!engine->store) {
        goto fail_store;
    }
    if (engine->opening.code != PROTO_OK) {
        *fault = engine->opening;
        goto fail_scores;
    }
    if (!engine_registry_ready(engine, fault)) {
        goto fail_scores;
    }
    engine_registry_encoder(engine);
    if (!engine_scores_keeper_start(engine->scores, store.starting, fault)) {
        goto fail_scores;
    }
    for (size_t i = 0; i < ENGINE_LANES; i++) {
        if (!engine_lane_start(&engine->lanes[i], engine, &engine_lane_rows[i], fault)) {
            goto fail_lanes;
        }
    }
    if (!applied_follow(engine, fault) || !applied_begin(engine, fault)) {
        goto fail_lanes;
    }
    return engine;

fail_lanes:
    lanes_end(engine);
fail_scores:
    engine_scores_keeper_stop(engine->scores);
    store_close(engine->store);
fail_store:
    engine_scores_keeper_destroy(engine->scores);
    engine_state_release(engine->state);
fail_state:
    engine_followers_fini(&engine->followers);
    pthread_mutex_destroy(&engine->state_lock);
    free(engine);
    return NULL;
}

void engine_started(struct engine *engine)
{
    store_started(engine->store);
    engine_scores_keeper_go(engine->scores);
}

void engine_stop(struct engine *engine)
{
    for (size_t i = ENGINE_LANES; i > 0; i--) { /* jobs are the first, and end last */
        engine_lane_stop(&engine->lanes[i - 1]);
    }
}

void engine_destroy(struct engine *engine)
{
    if (!engine) {
        return;
    }
    lanes_end(engine);
    engine_scores_keeper_stop(engine->scores);
    store_close(engine->store);
    engine_scores_keeper_destroy(engine->scores);
    engine_followers_fini(&engine->followers);
    engine_state_release(engine->state);
    pthread_mutex_destroy(&engine->state_lock);
    free(engine);
}
