/* SPDX-License-Identifier: Apache-2.0 */
/* What an account pays a month at each of many moments at once: one walk over its spells, instead
 * of one for each moment. The same figures as measure_account_at and measure_account_before give.
 *
 * Shapes: moments ascend; an array has one entry a moment. Ownership: the caller's arrays;
 * measure_moments_fini frees. Errors: NO_MEMORY, BAD_FIELD for a period that is none. Threads:
 * pure. Cost: some 20 ns a spell and a few for each moment that it covers. */
#ifndef MEASURE_MEASURE_STATE_H
#define MEASURE_MEASURE_STATE_H

#include "server/measure/movement.h"

struct measure_moments {
    int64_t *at;
    size_t count;
};

/* from, then each end of `months` months counted from it; closed: to as the last, where it is none
 * of them, else only those that do not lie behind it. */
bool measure_moments_make(struct measure_moments *moments, int64_t from_ms, int64_t to_ms,
                          int months, bool closed, struct proto_fault *fault);
void measure_moments_fini(struct measure_moments *moments);

struct measure_state {
    int64_t mrr;
    bool customer; /* it is one, at 0 too if free is active */
};

/* Fills states[moments->count]; *paid_ms: since when it ever paid, MEASURE_NEVER if it did not, so
 * that it was a customer before a moment if that lies behind it. */
void measure_states_of(const struct measure_spells *spells, uint32_t account,
                       const struct measure_moments *moments, struct measure_state *states,
                       int64_t *paid_ms);
/* The movement from one state to another, added; as measure_movement_add. */
enum measure_move measure_state_move(const struct measure_state *start,
                                     const struct measure_state *end, bool paid_before,
                                     struct measure_movement *total);

#endif
