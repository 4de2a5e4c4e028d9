/* SPDX-License-Identifier: Apache-2.0 */
/* The server's own figures: the table metric.def, and for each operation its requests, latencies
 * and errors by code.
 *
 * Shape: one block per thread that counts (each worker, and more as the program likes), on cache
 * lines of its own. A block has ONE writing thread, so counting is a relaxed load and store; two
 * threads on one block would lose counts. A gauge is the sum over the blocks, so +1 and -1 may
 * happen on different ones. Ownership: base_metrics_create to base_metrics_destroy; blocks are part
 * of it. Threads: as said; every reading function is safe from any thread and sees each figure as
 * it is at some moment. Cost: count 1 ns, request 3 ns; a block takes about 230 KiB; reading one
 * latency 1 µs a block. */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdio.h>

#include "proto/table.h"
#include "server/base/histogram.h"

enum base_metric {
#define V(KIND, NAME, name, unit, help) BASE_METRIC_##NAME,
#define H(NAME, name, unit, help)
#include "server/base/metric.def"
#undef V
#undef H
    BASE_METRIC_COUNT
};

enum base_distribution {
#define V(KIND, NAME, name, unit, help)
#define H(NAME, name, unit, help) BASE_DISTRIBUTION_##NAME,
#include "server/base/metric.def"
#undef V
#undef H
    BASE_DISTRIBUTION_COUNT
};

enum base_metric_kind { BASE_COUNTER, BASE_GAUGE, BASE_DISTRIBUTION };

struct base_metric_info {
    enum base_metric_kind kind;
    const char *name;
    const char *unit;
    const char *help;
};

/* Positions of the operations and error codes within a block: dense, in the order of proto_ops and
 * proto_errors. The last one of each takes what no table knows. */
enum base_op_index {
#define X(opcode, NAME, name, lane, role, retry, help) BASE_OP_INDEX_##NAME,
#include "proto/op.def"
#undef X
    BASE_OP_INDEX_OTHER,
    BASE_OP_COUNT
};
enum base_error_index {
#define X(code, NAME, name, retryable, text) BASE_ERROR_INDEX_##NAME,
#include "proto/error.def"
#undef X
    BASE_ERROR_INDEX_OTHER,
    BASE_ERROR_COUNT
};

struct base_metrics;
struct base_metrics_block;

/* NULL if memory runs out. */
struct base_metrics *base_metrics_create(size_t blocks);
void base_metrics_destroy(struct base_metrics *metrics);
struct base_metrics_block *base_metrics_block(struct base_metrics *metrics, size_t index);

/* ---- counting, by the block's one thread ---- */

void base_metrics_add(struct base_metrics_block *block, enum base_metric metric, int64_t more);
void base_metrics_record(struct base_metrics_block *block, enum base_distribution distribution,
                         uint64_t value);
/* One request answered: status is PROTO_OK or an error code, ns the time from read to reply. */
void base_metrics_request(struct base_metrics_block *block, uint8_t opcode, unsigned status,
                          uint64_t ns);

/* `count` requests answered together without a fault. */
void base_metrics_request_many(struct base_metrics_block *block, uint8_t opcode, uint64_t count,
                               uint64_t ns);

/* ---- reading, by any thread ---- */

/* Rows of metric.def: all values by BASE_METRIC_*, then all distributions by BASE_DISTRIBUTION_*.
 */
const struct base_metric_info *base_metric_infos(size_t *count);
int64_t base_metrics_value(const struct base_metrics *metrics, enum base_metric metric);
/* Adds the distribution of every block to *into, which the caller zeroed. */
void base_metrics_distribution(const struct base_metrics *metrics,
                               enum base_distribution distribution, struct base_histogram *into);
uint64_t base_metrics_requests(const struct base_metrics *metrics, uint8_t opcode);
uint64_t base_metrics_errors(const struct base_metrics *metrics, unsigned status);
/* Latency in ns of one operation, as base_metrics_distribution. */
void base_metrics_latency(const struct base_metrics *metrics, uint8_t opcode,
                          struct base_histogram *into);
/* A Markdown table of the rows of metric.def. */
void base_metrics_reference(FILE *out);

#endif
