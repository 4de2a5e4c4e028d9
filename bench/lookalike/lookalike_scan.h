/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exact scan beside a plain read of as many bytes, in alternating rounds. Units: queries, or
 * reads of all the bytes, per second of processor time. Ownership: the scan owns the bytes that are
 * read plainly. Errors: false without memory. Threads: one.
 */
#ifndef ICP_BENCH_LOOKALIKE_SCAN_H
#define ICP_BENCH_LOOKALIKE_SCAN_H

#include "bench/lookalike/lookalike_bench.h"
#include "bench/lookalike/lookalike_case.h"

struct lookalike_scan {
    const struct lookalike_bench *bench;
    uint32_t at; /* the next query */
    uint8_t *bytes;
    size_t byte_count;
    unsigned streams; /* that a plain read goes along at once: the fastest of some numbers */
};

#define LOOKALIKE_SCAN_READ "a plain read of the bytes"
#define LOOKALIKE_SCAN_ONE "icpd, exact, one query"
#define LOOKALIKE_SCAN_16 "icpd, exact, 16 waiting"

/* Adds the three to a case. */
bool lookalike_scan_enter(struct lookalike_case *what, struct lookalike_scan *scan,
                          const struct lookalike_bench *bench);
void lookalike_scan_leave(struct lookalike_scan *scan);

#endif
