/* SPDX-License-Identifier: Apache-2.0 */
/* Storing records: icpd beside Redis with its append-only file and SQLite, the same records in the
 * same batches, in one alternating run. ingest.def says who takes part and what an acknowledgement
 * means with each; the result says so too, for a figure without that says nothing.
 *
 * A batch is one request: an account-put, an MSET, a transaction. Every record of the set is stored
 * once before anything is counted, so all replace what is there. A record is what bench_fill makes
 * of an account, 39 values as MessagePack; Redis and SQLite keep it as it is, by its id alone. All
 * keep their files below one folder, so on one disk. SQLite has no server and no clients: its
 * transactions come one after another, where the others' clients wait together.
 * Ownership: bench_ingest_destroy ends every process. Errors: a fault where icpd cannot be
 * measured; who is not installed is left out with a word. Threads: one. */
#ifndef BENCH_INGEST_H
#define BENCH_INGEST_H

#include <jansson.h>

#include "bench/bench_load.h"
#include "bench/bench_median.h"

enum bench_ingest_who {
#define I(ID, name, durability, configuration) BENCH_INGEST_##ID,
#include "bench/ingest.def"
#undef I
    BENCH_INGEST_COUNT
};

#define BENCH_INGEST_BATCHES_MAX 8
/* So many records fit the requests that are held ready (BENCH_TRAFFIC_BYTES_MAX) in any batches. */
#define BENCH_INGEST_ACCOUNTS_MAX 30000

struct bench_ingest_options {
    const char *icpd;   /* program */
    const char *folder; /* below which everything is kept meanwhile; removed at the end */
    uint64_t accounts;  /* different records */
    unsigned batches[BENCH_INGEST_BATCHES_MAX];
    unsigned batch_count;
    unsigned rounds, connections;
    double warmup_s, measure_s;
    int server_cpu, load_cpu;
    bool peers;
};

struct bench_ingest_series {
    double records[BENCH_RUNS_MAX]; /* a second */
    double p50_us[BENCH_RUNS_MAX], p99_us[BENCH_RUNS_MAX];
    double cpu_us[BENCH_RUNS_MAX]; /* a record: of the server, or of SQLite's process */
    size_t count;
    uint64_t wrong;
    json_t *runs;
};

struct bench_ingest_info {
    const char *name, *durability, *configuration;
};
const struct bench_ingest_info *bench_ingest_info(enum bench_ingest_who who);

struct bench_ingest;
struct bench_ingest *bench_ingest_create(const struct bench_ingest_options *options,
                                         struct proto_fault *fault);
bool bench_ingest_measure(struct bench_ingest *ingest, struct proto_fault *fault);
const struct bench_ingest_series *bench_ingest_series(const struct bench_ingest *ingest,
                                                      unsigned batch_index,
                                                      enum bench_ingest_who who);
/* For reports; the caller owns it. */
json_t *bench_ingest_json(const struct bench_ingest *ingest);
void bench_ingest_destroy(struct bench_ingest *ingest);

/* The requests of one contender: `batch` records each. */
bool bench_ingest_traffic(enum bench_ingest_who who, uint64_t accounts, unsigned batch,
                          struct bench_traffic *traffic, struct proto_fault *fault);
/* Number of the index-th record of request `request`: within a request all differ, and requests
 * from 0 on reach every record before they begin anew. */
uint64_t bench_ingest_number(uint64_t accounts, unsigned batch, uint32_t request, unsigned index);

/* SQLite, where it was there at the build. */
struct bench_sqlite;
bool bench_sqlite_missing(void);
struct bench_sqlite *bench_sqlite_open(const char *path, bool full, struct proto_fault *fault);
void bench_sqlite_close(struct bench_sqlite *sqlite);
/* One transaction of the batch's records. */
bool bench_sqlite_put(struct bench_sqlite *sqlite, uint64_t accounts, uint32_t request,
                      unsigned batch, struct proto_fault *fault);

#endif
