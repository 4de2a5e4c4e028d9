/* SPDX-License-Identifier: Apache-2.0 */
/* A workload: what is asked and how, from workload.def, read from a file of `name = value` lines.
 * Ownership: plain values. Errors: a fault that names the line. Threads: pure. */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include "bench/bench_arrival.h"
#include "bench/bench_traffic.h"

struct bench_workload {
#define X(name, value, min, max, help) double name;
#include "bench/workload.def"
#undef X
};

struct bench_setting {
    const char *name;
    size_t offset;
    double value, min, max;
    const char *help;
};

const struct bench_setting *bench_settings(size_t *count);
void bench_workload_default(struct bench_workload *workload);
/* Sets one by its name; numbers alone. */
bool bench_workload_set(struct bench_workload *workload, const char *name, const char *text,
                        struct proto_fault *fault);
/* Lays the settings of a text over the workload; `where` names it in messages. A line is
 * `name = value`, empty, or a comment after #. */
bool bench_workload_parse(struct bench_workload *workload, const char *text, const char *where,
                          struct proto_fault *fault);
bool bench_workload_load(struct bench_workload *workload, const char *path,
                         struct proto_fault *fault);

struct bench_arrival_options bench_workload_arrival(const struct bench_workload *workload);

/* The requests of a workload to an icpd that was filled with `accounts` accounts of `seed`. */
bool bench_workload_traffic(const struct bench_workload *workload, uint64_t accounts, uint64_t seed,
                            struct bench_traffic *traffic, struct proto_fault *fault);

/* The values of an account, all but its outcome, as one map of MessagePack: a record of ingest. */
void bench_record_write(struct proto_writer *out, uint64_t seed, uint64_t number);

#endif
