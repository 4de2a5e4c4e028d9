/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions that were made lately, by the ids of their leads: who asks again is answered the same,
 * and who asks why is told.
 *
 * Bounds: the last ROUTER_RECENT_MAX; the oldest is forgotten. Ownership: holds what it is given.
 * Errors: NULL is no memory. Threads: one. Cost: some 100 ns; 2.3 MB beside the decisions.
 * Source: FNV-1a (Fowler, Noll and Vo), chains in arrays. */
#ifndef ROUTER_RECENT_H
#define ROUTER_RECENT_H

#include "client/router/router_decision.h"

enum { ROUTER_RECENT_MAX = 65536 };

struct router_recent;
struct router_recent *router_recent_create(void);
void router_recent_destroy(struct router_recent *recent); /* NULL is fine */

/* An id that is there already is to be looked for before. */
void router_recent_put(struct router_recent *recent, struct router_decision *decision);
/* Takes the one that was put last away again, if it is this one. */
void router_recent_undo(struct router_recent *recent, const struct router_decision *decision);
/* NULL: there is none of that lead. Borrowed. */
struct router_decision *router_recent_find(const struct router_recent *recent, const char *id);

#endif
