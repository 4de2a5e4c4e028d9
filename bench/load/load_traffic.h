/* SPDX-License-Identifier: Apache-2.0 */
/* Requests encoded before a run, one after another in one buffer: a batch of requests is then one
 * contiguous piece that goes out with one system call and no copy of ours.
 * Shapes: `count` is a power of two; request i lies at offsets[i] … offsets[i + 1] and carries i as
 * its id where its protocol has ids. Ownership: load_traffic_fini frees. Errors: no memory is
 * sticky in the writer and becomes one fault. Threads: read-only after it was made. */
#ifndef BENCH_LOAD_TRAFFIC_H
#define BENCH_LOAD_TRAFFIC_H

#include "proto/writer.h"

/* Longer requests come in smaller numbers: what is sent shall not push the server out of a cache
 * that both share, and shall still name more accounts than one can hold. */
#define LOAD_TRAFFIC_BYTES_MAX ((size_t)48 << 20)
#define LOAD_TRAFFIC_COUNT_MAX ((uint32_t)1 << 20)

struct load_traffic {
    uint8_t *bytes;
    uint32_t *offsets; /* count + 1 */
    uint32_t count;
};

/* Appends request `index` to the writer. */
typedef void load_encode(void *context, uint32_t index, struct proto_writer *out);

/* `count` requests, a power of two or 0: as many as fit, as said above. With a count they may have
 * 4 GiB, which is what offsets hold; more is a fault. */
bool load_traffic_make_count(struct load_traffic *traffic, load_encode *encode, void *context,
                             uint32_t count, struct proto_fault *fault);
bool load_traffic_make(struct load_traffic *traffic, load_encode *encode, void *context,
                       struct proto_fault *fault);
void load_traffic_fini(struct load_traffic *traffic);

static inline double load_traffic_mean_bytes(const struct load_traffic *traffic)
{
    return (double)traffic->offsets[traffic->count] / traffic->count;
}

#endif
