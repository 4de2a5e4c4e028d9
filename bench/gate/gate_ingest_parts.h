/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the gate "ingest" share; the contract is gate_ingest.h. */
#ifndef BENCH_GATE_INGEST_PARTS_H
#define BENCH_GATE_INGEST_PARTS_H

#include "bench/gate/gate_ingest.h"
#include "bench/load/load_workload.h"
#include "bench/peer/peer_process.h"

struct gate_contender {
    bool there;
    struct peer_process process;
    uint16_t port;
    struct gate_sqlite *sqlite;
    uint64_t next[GATE_INGEST_MODES]; /* record that its next stretch of that work begins with */
    double fastest; /* records a second seen so far; 0: none. How many a run needs ready */
};

struct gate_ingest {
    struct gate_ingest_options options;
    char folder[300];
    unsigned fields; /* of a record */
    struct gate_contender contenders[GATE_INGEST_COUNT];
    struct gate_ingest_series series[GATE_INGEST_MODES][GATE_INGEST_BATCHES_MAX][GATE_INGEST_COUNT];
};

bool gate_ingest_is_sqlite(enum gate_ingest_who who);
/* Starts icpd on its data; port 0: any free one. Does not wait for it. */
bool gate_ingest_icp_launch(struct gate_ingest *ingest, struct gate_contender *icp, uint16_t port,
                            struct proto_fault *fault);
/* gate_ingest_run.c: the records that are there before, stored as new ones. */
bool gate_ingest_fill(struct gate_ingest *ingest, enum gate_ingest_who who,
                      struct load_result *result, struct proto_fault *fault);

#endif
