/* SPDX-License-Identifier: Apache-2.0 */
/* What the events of a batch will be looked up by, asked for while those before them are planned. A
 * batch of events names accounts all over the store, and each costs some twelve cache misses, one
 * behind the other: the index of ids, the account's cell, version and record, the table of events
 * told. Here they are told apart in steps, each of which reads what the one before it has asked
 * for, and the steps of neighbouring events overlap.
 *
 *   event  i + 31: hash of the account's name, where index, overlay and plan have it
 *          i + 24: its slot as the index has it; where the overlay has that
 *          i + 18, 12, 6: cell, version, value
 *          i: planned
 *
 * Nothing follows from it: what is asked for in vain, or is another account's, costs a cache line.
 * Shapes: a ring of STORE_PLAN_AHEAD events; other commands are passed over. Ownership: borrows
 * batch, plan and sight. Errors: none; what cannot be read is passed over, and told by the plan.
 * Threads: the writer. Cost: 40 ns an event, of the microsecond and a half that it saves where
 * accounts and events do not fit the caches. Source: group prefetching as in Chen, Ailamaki,
 * Gibbons, Mowry, Improving Hash Join Performance through Prefetching (ICDE 2004). */
#ifndef STORE_PLAN_AHEAD_H
#define STORE_PLAN_AHEAD_H

#include "server/store/overlay_ahead.h"
#include "server/store/plan.h"

#define STORE_PLAN_AHEAD 32u

struct store_plan_ahead {
    size_t at;     /* of the command that is read next */
    uint64_t read; /* events that were */
    uint64_t planned;
    struct store_plan_ahead_event {
        uint64_t name;  /* hash of the account's name */
        uint64_t event; /* event_hash */
        uint32_t slot;  /* STORE_NO_SLOT: not known */
    } events[STORE_PLAN_AHEAD];
};

/* Before each event of the batch is planned: `command` is its command, which lies in `commands`.
 * Before the first turn of a batch `planned` is 0; nothing else need be set. */
void store_plan_ahead(struct store_plan_ahead *ahead, const struct store_plan *plan,
                      struct proto_span commands, const struct store_command *command);

#endif
