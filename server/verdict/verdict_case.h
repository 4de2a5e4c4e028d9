/* SPDX-License-Identifier: Apache-2.0 */
/* Cases of accounts on a list and off it, as every table of a verdict takes them.
 *
 * A case counts once its whole week of creation is matured: every case of that week is settled, and
 * the week is over. A week of which the quick half is counted would count what is settled early too
 * often, and a block that still grows is none (term_lift.h).
 *
 * Shapes: times in ms since 1970; p in 0 … 1, NAN where none was frozen. Ownership: arrays are the
 * caller's; groups are numbers of the caller's. Errors: NO_MEMORY. Threads: pure. Cost: n log n. */
#ifndef VERDICT_VERDICT_CASE_H
#define VERDICT_VERDICT_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/fault.h"

#define VERDICT_NEVER INT64_MAX
#define VERDICT_WEEK_MS INT64_C(604800000)

/* Where an account stood when the list was frozen. */
enum verdict_part {
    VERDICT_MEMBER,   /* on the list, to be worked */
    VERDICT_HELD_OUT, /* on it, drawn not to be worked */
    VERDICT_MISSED,   /* just missed */
    VERDICT_OTHER,    /* of the frozen sample, or, without one, anybody else */
};

enum { VERDICT_RIVALS = 3, VERDICT_GROUPS_MOST = 8 };
/* base-rate, last-version, by-hand. */
const char *verdict_rival_name(unsigned rival);

struct verdict_case {
    int64_t moment_ms;
    int64_t settled_ms; /* VERDICT_NEVER: it is open */
    int64_t known_ms; /* set by verdict_settle: when its week was matured; VERDICT_NEVER: not yet */
    uint32_t account;
    uint32_t stratum; /* what must be equal beside the effort */
    uint32_t effort;  /* bin */
    uint32_t count;   /* so many alike, 1 or more */
    uint8_t part;     /* enum verdict_part */
    bool sampled;     /* in the random sample, whatever its part */
    bool won;
    uint8_t group_count;
    double p;      /* as it was frozen */
    double last_p; /* of the version before; NAN: there was none */
    double points; /* of a profile written by hand; NAN: there is none */
    uint32_t groups[VERDICT_GROUPS_MOST];
};

/* The first day of the week, a Monday, that a moment lies in. */
int64_t verdict_week_of(int64_t ms);
/* Sets known_ms of all cases as of at_ms (VERDICT_NEVER: whatever is settled counts); *open: how
 * many are not counted. */
bool verdict_settle(struct verdict_case *cases, size_t count, int64_t at_ms, uint64_t *open,
                    struct proto_fault *fault);
static inline bool verdict_counts(const struct verdict_case *one)
{
    return one->known_ms != VERDICT_NEVER;
}

#endif
