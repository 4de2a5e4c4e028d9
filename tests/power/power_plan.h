/* SPDX-License-Identifier: Apache-2.0 */
/* A plan whose entries a story adds one by one: three signatories with keys of seeds, their
 * signatures, the commitment, then amendments, each signed. Always the same.
 *
 * Ownership: power_plan_destroy; lines are the plan's. Errors: what cannot be made ends the
 * process. Threads: one. Cost: some 0.2 ms an entry. */
#ifndef TESTS_POWER_PLAN_H
#define TESTS_POWER_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/fault.h"
#include "proto/span.h"

enum { POWER_PLAN_ENTRIES = 120 };

struct power_plan;
struct power_plan *power_plan_create(void);
void power_plan_destroy(struct power_plan *plan); /* NULL is fine */
/* Number 1 to POWER_PLAN_ENTRIES. */
struct proto_span power_plan_line(const struct power_plan *plan, uint32_t number);

/* Lines as they are read back, one after another from the first: whether each follows from those
 * before it, by hashes, rules and signatures. */
struct power_chain;
struct power_chain *power_chain_begin(void);
bool power_chain_take(struct power_chain *chain, struct proto_span line, struct proto_fault *fault);
void power_chain_end(struct power_chain *chain);

#endif
