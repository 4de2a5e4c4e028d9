/* SPDX-License-Identifier: Apache-2.0 */
/* How far this node is: the sequence that it has applied, and how old what it knows may be. One
 * place, for all who wait for a sequence or refuse what is stale.
 *
 * Units: sequences of the store's own log, which are those of a shared log where the store follows
 * one; ages in ms, as the route of writes tells them (submit.h): without one a node is always of
 * now. Errors: PROTO_BEHIND, which another node may do better. Threads: any. Cost: a relaxed load
 * or two. */
#ifndef ENGINE_APPLIED_H
#define ENGINE_APPLIED_H

#include <stdatomic.h>

#include "server/engine/engine.h"

struct engine_applied {
    _Atomic uint64_t seq;
    _Atomic uint64_t log; /* that the node follows; 0: none, its own */
};

/* After a view sees the commit of that sequence: what is asked for afterwards may rely on it, and
 * whoever waits for it is woken. */
void engine_applied_note(struct engine *engine, uint64_t seq);
/* The node follows a log that others follow too: their sequences can be compared, and clients are
 * told so (hello). Stores that are copies of each other, and written to each for itself, are not
 * that. log: a number that no other log has, from 1 to 2^63 - 1. Connections that were greeted
 * before it was said carry no sequences. */
void engine_applied_follow(struct engine *engine, uint64_t log);

/* What the route says is known by now. */
int64_t engine_as_of(const struct engine *engine);

#endif
