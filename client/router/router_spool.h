/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions that icpd does not hold yet, on disk, in the order in which they were made.
 *
 * A folder of segments, 00000001.ndjson and on: a decision is a line, written before its lead is
 * answered. Those that are added are written together by a flush, and wait from then on; one that
 * fails takes all of them back. A segment is deleted when all of it is stored. Nothing says how far
 * within a segment that is: after a start all that is left is told again, and icpd passes over what
 * it has, by source and id. What was told under another account is a line {"moved":ID} of its own,
 * so that it is told under the same again. What icpd refuses for good goes to refused.ndjson with
 * the reason.
 *
 * A killed router loses nothing that it answered. A power cut may lose what was not stored yet and
 * not on disk, unless it was opened to sync. One router has a folder, by a lock.
 *
 * Ownership: router_spool_close; a decision that is added is held by the spool too. Errors: false
 * with *fault; full (bytes_max of lines that wait) is one, and nothing was added. Threads: one.
 * Cost: a copy of the line, and one write (one sync, if so opened) a flush. */
#ifndef ROUTER_SPOOL_H
#define ROUTER_SPOOL_H

#include "client/router/router_decision.h"

struct router_spool;

struct router_entry {
    struct router_decision *decision;
    uint32_t segment;
    uint32_t bytes;
    bool moved; /* to the account for leads of no known account */
};

/* NULL with *fault. What was left is there again. */
struct router_spool *router_spool_open(const char *folder, size_t bytes_max, bool sync,
                                       struct router_fault *fault);
void router_spool_close(struct router_spool *spool); /* NULL is fine */

bool router_spool_add(struct router_spool *spool, struct router_decision *decision,
                      struct router_fault *fault);
/* Writes what was added since the last one. False: none of that is in the spool any more. */
bool router_spool_flush(struct router_spool *spool, struct router_fault *fault);
/* Bytes that a flush would write. */
size_t router_spool_fresh_bytes(const struct router_spool *spool);
size_t router_spool_count(const struct router_spool *spool);
size_t router_spool_bytes(const struct router_spool *spool);
/* Of those that wait, the oldest is 0. Valid until the next call that changes it. */
const struct router_entry *router_spool_at(const struct router_spool *spool, size_t place);
/* The oldest `count` are stored. */
void router_spool_drop(struct router_spool *spool, size_t count);
/* One is to be told under the other account. */
bool router_spool_move(struct router_spool *spool, size_t place, struct router_fault *fault);
/* One will never be stored. */
bool router_spool_refuse(struct router_spool *spool, size_t place, const char *why,
                         struct router_fault *fault);

#endif
