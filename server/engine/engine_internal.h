/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the engine share and nobody else sees. */
#ifndef ENGINE_ENGINE_INTERNAL_H
#define ENGINE_ENGINE_INTERNAL_H

#include "server/engine/applied.h"
#include "server/engine/engine_create.h"
#include "server/engine/lane.h"
#include "server/engine/submit.h"

struct engine_scores_keeper;

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
    struct engine_route route;   /* of batches; none: the store's own */
    pthread_mutex_t state_lock;  /* guards state; held for a pointer swap only */
    struct engine_state *state;  /* never NULL */
    _Atomic uint64_t generation; /* of state: lets workers see a change without the lock */
    struct engine_lane lanes[ENGINE_LANES];
    _Atomic uint64_t last_job; /* number of the newest piece of work of any lane */
    struct engine_followers followers;
    struct engine_applied applied;
    struct engine_scores_keeper *scores; /* scores.h */
    struct proto_fault opening;          /* what went wrong while the store told of its documents */
};

/* engine_base.c: only a new start helps. As store_options.on_lost; context is the engine. */
void engine_lost(void *context, const struct proto_fault *fault);

/* registry.c: the store tells of a schema, an ICP version or a switch. */
void engine_registry_change(void *context, const struct store_change *change);
/* After the store is open: opens the active version and works out who is on a list. */
bool engine_registry_ready(struct engine *engine, struct proto_fault *fault);
/* Tells the store how rows of the active version are encoded. */
void engine_registry_encoder(struct engine *engine);

#endif
