/* SPDX-License-Identifier: Apache-2.0 */
#include "server/base/metrics.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>

/* Two lines of 64 bytes: the processor fetches lines in pairs. */
#define BLOCK_ALIGN 128

struct base_metrics_block {
    alignas(BLOCK_ALIGN) _Atomic uint64_t values[BASE_METRIC_COUNT];
    _Atomic uint64_t requests[BASE_OP_COUNT];
    _Atomic uint64_t errors[BASE_ERROR_COUNT];
    struct base_histogram distributions[BASE_DISTRIBUTION_COUNT];
    struct base_histogram latencies[BASE_OP_COUNT];
};

struct base_metrics {
    size_t count;
    struct base_metrics_block *blocks;
    void *memory; /* in which they lie */
};

static const struct base_metric_info infos[] = {
#define V(KIND, NAME, name, unit, help) {BASE_##KIND, name, unit, help},
#define H(NAME, name, unit, help)
#include "server/base/metric.def"
#undef V
#undef H
#define V(KIND, NAME, name, unit, help)
#define H(NAME, name, unit, help) {BASE_DISTRIBUTION, name, unit, help},
#include "server/base/metric.def"
#undef V
#undef H
};

/* Index + 1 by code; 0 stands for what no table knows. */
static const uint8_t op_indexes[256] = {
#define X(opcode, NAME, name, lane, role, retry, help) [opcode] = BASE_OP_INDEX_##NAME + 1,
#include "proto/op.def"
#undef X
};
static const uint8_t error_indexes[256] = {
#define X(code, NAME, name, retryable, text) [code] = BASE_ERROR_INDEX_##NAME + 1,
#include "proto/error.def"
#undef X
};

static size_t op_index(uint8_t opcode)
{
    uint8_t index = op_indexes[opcode];
    return index != 0 ? (size_t)index - 1 : BASE_OP_INDEX_OTHER;
}

static size_t error_index(unsigned status)
{
    uint8_t index = status < 256 ? error_indexes[status] : 0;
    return index != 0 ? (size_t)index - 1 : BASE_ERROR_INDEX_OTHER;
}

struct base_metrics *base_metrics_create(size_t blocks)
{
    assert(blocks > 0);
    struct base_metrics *metrics = calloc(1, sizeof *metrics);
    size_t bytes;
    if (metrics == NULL ||
        __builtin_mul_overflow(blocks, sizeof(struct base_metrics_block), &bytes) ||
        __builtin_add_overflow(bytes, BLOCK_ALIGN, &bytes)) {
        goto failed;
    }
    metrics->count = blocks;
    /* Not aligned_alloc and memset: most histograms of most blocks are never written to, and pages
     * of a large calloc are made when they are. */
    metrics->memory = calloc(1, bytes);
    if (metrics->memory == NULL) {
        goto failed;
    }
    size_t over = (uintptr_t)metrics->memory % BLOCK_ALIGN;
    metrics->blocks = (void *)((uint8_t *)metrics->memory + (over == 0 ? 0 : BLOCK_ALIGN - over));
    return metrics;

failed:
    free(metrics);
    return NULL;
}

void base_metrics_destroy(struct base_metrics *metrics)
{
    if (metrics == NULL) {
        return;
    }
    free(metrics->memory);
    free(metrics);
}

struct base_metrics_block *base_metrics_block(struct base_metrics *metrics, size_t index)
{
    assert(index < metrics->count);
    return &metrics->blocks[index];
}

void base_metrics_add(struct base_metrics_block *block, enum base_metric metric, int64_t more)
{
    /* Unsigned sums wrap, so a block's share of a gauge may fall below zero and the sum be right.
     */
    base_histogram_count(&block->values[metric], (uint64_t)more);
}

void base_metrics_record(struct base_metrics_block *block, enum base_distribution distribution,
                         uint64_t value)
{
    base_histogram_record(&block->distributions[distribution], value);
}

void base_metrics_request(struct base_metrics_block *block, uint8_t opcode, unsigned status,
                          uint64_t ns)
{
    size_t op = op_index(opcode);
    base_histogram_count(&block->requests[op], 1);
    if (status != PROTO_OK) {
        base_histogram_count(&block->errors[error_index(status)], 1);
    }
    base_histogram_record(&block->latencies[op], ns);
}

void base_metrics_request_many(struct base_metrics_block *block, uint8_t opcode, uint64_t count,
                               uint64_t ns)
{
    size_t op = op_index(opcode);
    base_histogram_count(&block->requests[op], count);
    base_histogram_record_many(&block->latencies[op], ns, count);
}

const struct base_metric_info *base_metric_infos(size_t *count)
{
    *count = sizeof infos / sizeof *infos;
    return infos;
}

int64_t base_metrics_value(const struct base_metrics *metrics, enum base_metric metric)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < metrics->count; i++) {
        sum += atomic_load_explicit(&metrics->blocks[i].values[metric], memory_order_relaxed);
    }
    return (int64_t)sum;
}

void base_metrics_distribution(const struct base_metrics *metrics,
                               enum base_distribution distribution, struct base_histogram *into)
{
    for (size_t i = 0; i < metrics->count; i++) {
        base_histogram_merge(into, &metrics->blocks[i].distributions[distribution]);
    }
}

uint64_t base_metrics_requests(const struct base_metrics *metrics, uint8_t opcode)
{
    size_t op = op_index(opcode);
    uint64_t sum = 0;
    for (size_t i = 0; i < metrics->count; i++) {
        sum += atomic_load_explicit(&metrics->blocks[i].requests[op], memory_order_relaxed);
    }
    return sum;
}

uint64_t base_metrics_errors(const struct base_metrics *metrics, unsigned status)
{
    size_t error = error_index(status);
    uint64_t sum = 0;
    for (size_t i = 0; i < metrics->count; i++) {
        sum += atomic_load_explicit(&metrics->blocks[i].errors[error], memory_order_relaxed);
    }
    return sum;
}

void base_metrics_latency(const struct base_metrics *metrics, uint8_t opcode,
                          struct base_histogram *into)
{
    size_t op = op_index(opcode);
    for (size_t i = 0; i < metrics->count; i++) {
        base_histogram_merge(into, &metrics->blocks[i].latencies[op]);
    }
}

void base_metrics_reference(FILE *out)
{
    static const char *const kinds[] = {"counter", "gauge", "distribution"};
    fputs("| metric | kind | unit | what it counts |\n|---|---|---|---|\n", out);
    for (size_t i = 0; i < sizeof infos / sizeof *infos; i++) {
        fprintf(out, "| `%s` | %s | %s | %s |\n", infos[i].name, kinds[infos[i].kind],
                infos[i].unit, infos[i].help);
    }
}
