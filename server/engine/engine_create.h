/* SPDX-License-Identifier: Apache-2.0 */
/* Making an engine, for the program that does: who only uses one knows nothing of its store. See
 * engine.h for threads and errors. */
#ifndef ENGINE_ENGINE_CREATE_H
#define ENGINE_ENGINE_CREATE_H

#include "server/base/log.h"
#include "server/engine/engine.h"
#include "server/store/store.h"

struct engine_options {
    struct store_options
        store; /* on_change, on_commit and on_lost are the engine's own and left NULL here */
    int64_t (*now_ms)(void *context);
    void *now_context;
    unsigned learn_threads; /* of one learning; 0: one per processor */
    struct base_log *log;   /* of the store as well; NULL: silent */
    /* What is stored and what is served have come apart, or the store is gone; only a new start
     * helps. From any thread; ends the process (NULL: nothing is done, for tests). */
    void (*on_lost)(void *context, const struct proto_fault *fault);
    void *lost_context;
};

struct engine *engine_create(const struct engine_options *options, struct proto_fault *fault);
/* What options.store.starting held back begins: the index of ids, and scores and labels in memory.
 * Called when requests are taken: until then they would only take the processor from the start,
 * and what they make is not needed to answer, only to answer faster. Any thread. */
void engine_started(struct engine *engine);
/* Cancels jobs and scans and waits for them; none is taken any more. So what they use can be
 * destroyed before the engine. */
void engine_stop(struct engine *engine);
/* Stops, commits what was submitted, closes the store. Workers must be destroyed before. */
void engine_destroy(struct engine *engine);
struct store *engine_store(struct engine *engine);

/* How many pieces wait and run on a lane this moment; its name in lane.def is returned. */
const char *engine_lane_look(struct engine *engine, enum engine_lane_id lane, size_t *waiting,
                             size_t *running);

#endif
