/* SPDX-License-Identifier: Apache-2.0 */
/* What the planning of identity entries (plan_identity.c) and the working out of accounts by them
 * (plan_regroup.c) share: entries and source records as the plan has them so far.
 *
 * Ownership: spans borrow from the plan. Errors: PROTO_CORRUPT, those of reading the store.
 * Threads: the writer. Cost: a look-up each. */
#ifndef STORE_PLAN_IDENTITY_H
#define STORE_PLAN_IDENTITY_H

#include "server/identity/identity_entry.h"
#include "server/store/plan.h"

/* The entry of a number as this batch or, before it, the table has it; act IDENTITY_NO_ACT: it was
 * given up by a repair. */
bool store_plan_entry(const struct store_plan *plan, uint32_t number, struct identity_entry *entry,
                      int64_t *time_ms, struct proto_fault *fault);
/* The id of the source record of a slot. */
bool store_plan_record_id(struct store_plan *plan, uint32_t slot, struct proto_span *id,
                          struct proto_fault *fault);
/* The source record of an id; STORE_NO_SLOT: there is none. */
bool store_plan_source_find(struct store_plan *plan, struct proto_span id, uint32_t *slot,
                            struct proto_fault *fault);

#endif
