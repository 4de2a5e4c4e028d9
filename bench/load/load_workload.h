/* SPDX-License-Identifier: Apache-2.0 */
/* A workload: what is asked and how, from workload.def, read from a file of `name = value` lines.
 * Ownership: plain values. Errors: a fault that names the line. Threads: pure. */
#ifndef BENCH_LOAD_WORKLOAD_H
#define BENCH_LOAD_WORKLOAD_H

#include "bench/load/load_account.h"
#include "bench/load/load_arrival.h"
#include "bench/load/load_traffic.h"

struct load_workload {
#define X(name, value, min, max, help) double name;
#include "bench/load/workload.def"
#undef X
};

struct load_setting {
    const char *name;
    size_t offset;
    double value, min, max;
    const char *help;
};

const struct load_setting *load_settings(size_t *count);
void load_workload_default(struct load_workload *workload);
/* Sets one by its name; numbers alone. */
bool load_workload_set(struct load_workload *workload, const char *name, const char *text,
                       struct proto_fault *fault);
/* Lays the settings of a text over the workload; `where` names it in messages. A line is
 * `name = value`, empty, or a comment after #. */
bool load_workload_parse(struct load_workload *workload, const char *text, const char *where,
                         struct proto_fault *fault);
bool load_workload_load(struct load_workload *workload, const char *path,
                        struct proto_fault *fault);

struct load_arrival_options load_workload_arrival(const struct load_workload *workload);

/* The requests of a workload to an icpd that was filled with `accounts` accounts of `seed`. */
bool load_workload_traffic(const struct load_workload *workload, uint64_t accounts, uint64_t seed,
                           struct load_traffic *traffic, struct proto_fault *fault);

/* `fields` values of an account (1 … LOAD_RECORD_FIELDS, never its outcome) as one map of
 * MessagePack: a record of ingest. */
#define LOAD_RECORD_FIELDS (LOAD_FIELDS - 1)
void load_record_write(struct proto_writer *out, uint64_t seed, uint64_t number, unsigned fields);
/* So many fields that records have `bytes` bytes on the average, or as many as there are. */
unsigned load_record_fields(size_t bytes);

#endif
