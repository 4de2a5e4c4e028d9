/* SPDX-License-Identifier: Apache-2.0 */
/* The gate: every claim about look-alike search as a row with a target. */
#ifndef ICP_BENCH_LOOKALIKE_ROWS_H
#define ICP_BENCH_LOOKALIKE_ROWS_H

#include <stdbool.h>
#include <stdint.h>

struct lookalike_options {
    uint32_t count; /* vectors in A and M */
    uint32_t dim;
    uint32_t query_count;
    const char *sets;  /* of "AMF" */
    const char *cache; /* directory for the peers' indexes; NULL = none */
    bool peers;
    bool faiss;
};

/* Prints all rows; returns how many fall short of their target. */
uint32_t lookalike_rows(const struct lookalike_options *options);

#endif
