/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of a lane that wait until this node has applied a sequence (applied.h). They hold no
 * thread and stand in no queue: when the sequence is there, or their time is over, or nobody waits
 * for them any more, they are queued, and begun or refused in their turn.
 *
 * Ownership: a waiting piece is its lane's. Errors: PROTO_BUSY beyond the bounds below. Threads:
 * under the lane's lock. Cost: a walk over what waits whenever a commit wakes the lane. */
#ifndef ENGINE_LANE_WAIT_H
#define ENGINE_LANE_WAIT_H

#include "server/engine/lane.h"

/* Of one lane; so many stand still only where a node is far behind, and then another one is nearer.
 * A connection may have a part of them, and all of them together a part of the lane's bytes: who
 * waits for what never comes leaves room to others, those who need not wait among them. */
#define ENGINE_WAITS_MAX 1024
#define ENGINE_OWNER_WAITS_MAX 256
#define ENGINE_WAITS_BYTES_PART 2

/* Whether it has to wait at all. */
bool engine_lane_must_wait(const struct engine_job *job);
/* Takes a piece that must; false with *fault. Whoever adds wakes the lane. */
bool engine_lane_wait(struct engine_lane *lane, struct engine_job *job, struct proto_fault *fault);
/* False with *fault if its sequence has not come: BEHIND, or SHUTTING_DOWN where it will not. */
bool engine_lane_has_waited(const struct engine_job *job, struct proto_fault *fault);
/* Takes out one that need not wait any longer; NULL: none. *next_ms: when the next one's time is
 * over (wall clock), 0: none waits. */
struct engine_job *engine_lane_waited(struct engine_lane *lane, int64_t *next_ms);
/* The thread of a lane sleeps until it is woken, or that moment comes (wall clock, 0: never). */
void engine_lane_wake_init(struct engine_lane *lane);
void engine_lane_sleep(struct engine_lane *lane, int64_t next_ms);

#endif
