/* SPDX-License-Identifier: Apache-2.0 */
/* Fills an icpd with accounts of 40 fields, their schema, and an ICP learned from the first of
 * them. Ownership: borrows. Errors: a fault. Threads: one. Cost: about 10 µs an account, the
 * server's. */
#ifndef BENCH_LOAD_FILL_H
#define BENCH_LOAD_FILL_H

#include "proto/fault.h"

struct load_fill_options {
    const char *uri;
    uint64_t accounts;
    uint64_t seed;
    uint64_t learn_from;  /* accounts; 0: 20,000 or as many as there are */
    const char *icp_path; /* put this document instead of learning; NULL = learn */
    bool quiet;
};

bool load_fill(const struct load_fill_options *options, struct proto_fault *fault);

#endif
