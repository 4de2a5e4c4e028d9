/* SPDX-License-Identifier: Apache-2.0 */
#include "server/engine/engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/engine/engine_internal.h"
#include "server/engine/lookalike.h"
#include "server/engine/scores.h"

void engine_log(const struct engine *engine, int level, const char *format, ...)
{
    if (!engine->options.on_log) {
        return;
    }
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    engine->options.on_log(engine->options.log_context, level, message);
}

static void note_commit(void *context, const struct store_commit *commit)
{
    struct engine *engine = context;
    engine_scores_keeper_commit(engine->scores, commit);
    if (commit->phase == STORE_COMMIT_DONE) {
        engine_lookalike_note(engine->lookalike, commit->seq, commit->slots, commit->count);
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
    engine->state = calloc(1, sizeof *engine->state);
    if (!engine->state) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the engine");
        goto fail_state;
    }
    engine->state->references = 1;
    engine->lookalike = engine_lookalike_create(engine, fault);
    engine->scores = engine_scores_keeper_create(engine, fault);
    if (!engine->lookalike || !engine->scores) {
        goto fail_store;
    }

    struct store_options store = options->store;
    store.on_change = engine_registry_change;
    store.change_context = engine;
    store.on_commit = note_commit;
    store.commit_context = engine;
    store.now_ms = options->now_ms;
    store.now_context = options->now_context;
    if (!store.on_log) {
        store.on_log = options->on_log;
        store.log_context = options->log_context;
    }
    engine->store = store_open(&store, fault);
    if (!engine->store) {
        goto fail_store;
    }
    engine_registry_encoder(engine);
    if (!engine_registry_members(engine, fault) ||
        !engine_scores_keeper_start(engine->scores, fault)) {
        goto fail_scores;
    }
    if (!engine_jobs_start(engine, fault)) {
        goto fail_scores;
    }
    engine->scan_worker = engine_worker_create(engine, fault);
    if (!engine->scan_worker || !engine_scans_start(engine, fault)) {
        goto fail_scans;
    }
    engine_worker_rest(engine->scan_worker);
    if (!engine_lookalike_start(engine->lookalike, fault)) {
        engine_lane_stop(&engine->scans);
        goto fail_scans;
    }
    return engine;

fail_scans:
    engine_worker_destroy(engine->scan_worker);
    engine_lane_stop(&engine->jobs);
fail_scores:
    engine_scores_keeper_stop(engine->scores);
    store_close(engine->store);
fail_store:
    engine_scores_keeper_destroy(engine->scores);
    engine_lookalike_destroy(engine->lookalike);
    engine_state_release(engine->state);
fail_state:
    pthread_mutex_destroy(&engine->state_lock);
    free(engine);
    return NULL;
}

void engine_destroy(struct engine *engine)
{
    if (!engine) {
        return;
    }
    engine_lane_stop(&engine->scans);
    engine_worker_destroy(engine->scan_worker);
    engine_lane_stop(&engine->jobs);
    engine_lookalike_stop(engine->lookalike);
    engine_scores_keeper_stop(engine->scores);
    store_close(engine->store);
    engine_scores_keeper_destroy(engine->scores);
    engine_lookalike_destroy(engine->lookalike);
    engine_state_release(engine->state);
    pthread_mutex_destroy(&engine->state_lock);
    free(engine);
}

struct store *engine_store(struct engine *engine)
{
    return engine->store;
}

int64_t engine_now_ms(const struct engine *engine)
{
    return engine->options.now_ms(engine->options.now_context);
}
