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

/* The same states as turns, for accounts that change seldom: where they change, and to what. */
struct measure_turns {
    const struct measure_moments *moments; /* borrowed */
    double per_ms;                         /* moments a millisecond, about */
    uint64_t *touched;                     /* bit i: something changes at moment i */
    struct measure_turn {
        int64_t mrr;       /* what is added at the moment, … */
        int64_t customers; /* … and how many spells begin at it less those that end */
    } * at;
};
bool measure_turns_make(struct measure_turns *steps, const struct measure_moments *moments,
                        struct proto_fault *fault);
void measure_turns_fini(struct measure_turns *steps);
/* Takes the spells of an account. The steps of the account before must have been walked to the end.
 */
void measure_turns_put(struct measure_turns *steps, const struct measure_spells *spells,
                       uint32_t account, int64_t *paid_ms);
/* The next step of a walk, that begins with a walk of zeros; `state` is that from moment `at` on.
 * False: there is no more. */
struct measure_turns_walk {
    size_t at;
    struct measure_state state;
    int64_t customers;
    size_t word;
};
bool measure_turns_next(struct measure_turns *steps, struct measure_turns_walk *walk);
/* The movement from one state to another, added; as measure_movement_add. */
enum measure_move measure_state_move(const struct measure_state *start,
                                     const struct measure_state *end, bool paid_before,
                                     struct measure_movement *total);

#endif
