/* SPDX-License-Identifier: Apache-2.0 */
/*
 * icpd and its peers as contenders of a case, each tuned to the least effort that reaches a recall
 * on the queries that the bench asks then (lookalike_bench.h). Ownership: an entry lives as long as
 * its case is run; leave frees its index. Errors: an entry that never reaches the recall, or cannot
 * be built, does not take part. Threads: one.
 */
#ifndef ICP_BENCH_LOOKALIKE_CONTEND_H
#define ICP_BENCH_LOOKALIKE_CONTEND_H

#include "bench/lookalike/lookalike_bench.h"
#include "bench/lookalike/lookalike_case.h"
#include "bench/lookalike/lookalike_peer.h"

#define LOOKALIKE_ICPD "icpd"

#define LOOKALIKE_GRAPH "icpd, on the graph"
#define LOOKALIKE_PARTITIONS "icpd, on the partitions"

/* icpd at one recall target, or exact (target 1): where calibration has it answer, or on the
 * partitions; or on the graph with an effort, whatever calibration found. */
struct lookalike_ours {
    const struct lookalike_bench *bench;
    bool filtered;
    bool partitions;
    double target;
    uint32_t effort;
};

/* A peer with its index. */
struct lookalike_rival {
    const struct lookalike_bench *bench;
    const struct peer_kind *kind;
    struct peer *peer;
    double build_seconds;
    bool filtered;
    unsigned variant;
    size_t effort;
};

/* Adds icpd at the cheapest target that reaches `recall`. */
bool lookalike_ours_enter(struct lookalike_case *what, struct lookalike_ours *ours, double recall);
/* Adds icpd's graph at the least effort that reaches `recall`; false: there is none, or none does.
 */
bool lookalike_graph_enter(struct lookalike_case *what, struct lookalike_ours *ours, double recall);
/* Builds the peer's index, or loads it from `cache` (NULL: none). False when it cannot, or when it
 * would take minutes, is not kept, and `patient` is false. */
bool lookalike_rival_build(struct lookalike_rival *rival, const char *cache, bool patient);
/* Adds a peer that was built, tuned. */
bool lookalike_rival_enter(struct lookalike_case *what, struct lookalike_rival *rival,
                           double recall);
void lookalike_rival_leave(struct lookalike_rival *rival);

#endif
