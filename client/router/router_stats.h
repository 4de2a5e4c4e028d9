/* SPDX-License-Identifier: Apache-2.0 */
/* What a router has done, in figures: counts, and how long answers took.
 *
 * Times are counted in cells whose width is 1/32 of their beginning, so a percentile is off by 3 %
 * at most. Ownership: plain values. Errors: none. Threads: one. Cost: 5 ns a time. */
#ifndef ROUTER_STATS_H
#define ROUTER_STATS_H

#include <stddef.h>
#include <stdint.h>

/* X(name, "what it says"): counters, in the order in which they are shown. */
#define ROUTER_COUNTERS(X)                                                                         \
    X(leads, "leads that came")                                                                    \
    X(refused, "leads that are none, or could not be kept")                                        \
    X(repeated, "leads that had been decided before, answered the same")                           \
    X(decided, "decisions made")                                                                   \
    X(owner, "of them, went to who owns the account")                                              \
    X(nobody, "of them, went to nobody: all barred, or no rule")                                   \
    X(defaults, "of them, made without a score: icpd was slow or away")                            \
    X(late, "answered after their deadline")                                                       \
    X(stored, "decisions that icpd holds, on disk")                                                \
    X(moved, "of them, under an account for leads of no known account")                            \
    X(dead, "decisions that icpd refuses: in refused.ndjson")                                      \
    X(failed, "times that decisions could not be stored and were sent again")

struct router_stats {
#define X(name, what) uint64_t name;
    ROUTER_COUNTERS(X)
#undef X
    uint64_t cells[64 * 32];
    uint64_t timed;
};

void router_stats_time(struct router_stats *stats, uint64_t us);
/* In µs; 0 where nothing was timed. */
uint64_t router_stats_percentile(const struct router_stats *stats, double share);

#endif
