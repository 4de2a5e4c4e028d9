/* SPDX-License-Identifier: Apache-2.0 */
/* The blocks of a comparison: cases of one week of creation and one stratum, in the order in which
 * the weeks were matured, so that the first so many of them are what was known at each moment.
 *
 * Ownership: blocks are the caller's to fini. Errors: NO_MEMORY. Threads: pure. Cost: n log n. */
#ifndef VERDICT_VERDICT_BLOCK_H
#define VERDICT_VERDICT_BLOCK_H

#include "server/term/term_lift.h"
#include "server/verdict/verdict_case.h"

/* What accounts on the list are held against. */
enum verdict_against {
    VERDICT_EQUAL_EFFORT, /* everybody else, in strata of effort */
    VERDICT_JUST_MISSED,  /* ranks k + 1 … 2k, in strata of effort */
    VERDICT_HOLD_OUT,     /* drawn at random from the list: effort is what the list makes of it */
    VERDICT_AGAINSTS
};
const char *verdict_against_name(enum verdict_against against);

/* One week of creation. */
struct verdict_week {
    int64_t week_ms, known_ms;
    size_t end;                        /* of its blocks, and those of the weeks before */
    uint64_t on, won_on, off, won_off; /* of those weeks together */
};

struct verdict_blocks {
    struct term_block *items;
    size_t count;
    struct verdict_week *weeks; /* by known_ms */
    size_t week_count;
};

/* Cases as verdict_settle left them. */
bool verdict_blocks_make(const struct verdict_case *cases, size_t count,
                         enum verdict_against against, struct verdict_blocks *blocks,
                         struct proto_fault *fault);
void verdict_blocks_fini(struct verdict_blocks *blocks);

#endif
