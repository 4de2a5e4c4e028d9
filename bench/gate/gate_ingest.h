/* SPDX-License-Identifier: Apache-2.0 */
/* Storing records: icpd beside Redis with its append-only file and SQLite, the same records in the
 * same batches, in one alternating run. ingest.def says who takes part and what an acknowledgement
 * means with each; the result says so too, for a figure without that says nothing.
 *
 * A batch is one request: an account-put, an MSET, a transaction. Everybody holds `accounts`
 * records before anything is counted. Then two kinds of work are measured (ingest_mode.def):
 * `update` replaces records in random order, each before any a second time, with other values;
 * `new` adds records that were not there. A record is `record_bytes` of MessagePack, values of an
 * account; icpd is given an id and a key with it, Redis and SQLite keep the bytes as they are by
 * the id alone. All keep their files below one folder, so on one disk. SQLite has no server and no
 * clients: its transactions come one after another, where the others' clients wait together.
 * Ownership: gate_ingest_destroy ends every process. Errors: a fault where icpd cannot be measured;
 * who is not installed is left out with a word. Threads: one. Memory: the requests of a run are
 * held ready, some 300 MB. */
#ifndef BENCH_GATE_INGEST_H
#define BENCH_GATE_INGEST_H

#include <jansson.h>

#include "bench/gate/gate_frame.h"
#include "bench/load/load.h"
#include "bench/report/report_median.h"

enum gate_ingest_who {
#define I(ID, name, durability, configuration) GATE_INGEST_##ID,
#include "bench/gate/ingest.def"
#undef I
    GATE_INGEST_COUNT
};

enum gate_ingest_mode {
#define M(ID, name, text) GATE_INGEST_##ID,
#include "bench/gate/ingest_mode.def"
#undef M
    GATE_INGEST_MODES
};
const char *gate_ingest_mode_name(enum gate_ingest_mode mode);

#define GATE_INGEST_BATCHES_MAX 8
/* What the rows speak of; with less they are shown and not judged. */
#define GATE_INGEST_ROUNDS 7
#define GATE_INGEST_ACCOUNTS 1000000

struct gate_ingest_options {
    const char *icpd;   /* program */
    const char *folder; /* below which everything is kept meanwhile; removed at the end */
    uint64_t accounts;  /* held by everybody before */
    size_t record_bytes;
    unsigned batches[GATE_INGEST_BATCHES_MAX];
    unsigned batch_count;
    unsigned rounds, connections;
    double warmup_s, measure_s;
    int server_cpu, load_cpu;
    bool peers;
};

struct gate_ingest_series {
    double records[REPORT_RUNS_MAX]; /* a second */
    double p50_us[REPORT_RUNS_MAX], p99_us[REPORT_RUNS_MAX];
    double busy[REPORT_RUNS_MAX];   /* load_result_busy */
    double cpu_us[REPORT_RUNS_MAX]; /* a record: of the server, or of SQLite's process */
    size_t count;
    uint64_t wrong;
    json_t *runs;
};

struct gate_ingest_info {
    const char *name, *durability, *configuration;
};
const struct gate_ingest_info *gate_ingest_info(enum gate_ingest_who who);

struct gate_ingest;
struct gate_ingest *gate_ingest_create(const struct gate_ingest_options *options,
                                       struct proto_fault *fault);
bool gate_ingest_measure(struct gate_ingest *ingest, struct proto_fault *fault);
const struct gate_ingest_series *gate_ingest_series(const struct gate_ingest *ingest,
                                                    enum gate_ingest_mode mode,
                                                    unsigned batch_index, enum gate_ingest_who who);
#define GATE_INGEST_ROWS_MAX 8
/* The rows of ingest_row.def; returns how many. Options are those that it was made with. */
size_t gate_ingest_rows(const struct gate_ingest *ingest, const struct gate_ingest_options *options,
                        struct gate_line *lines, size_t lines_max);
/* For reports; the caller owns it. */
json_t *gate_ingest_json(const struct gate_ingest *ingest);
void gate_ingest_destroy(struct gate_ingest *ingest);

/* A stretch of work: the same records for every contender. */
struct gate_ingest_work {
    enum gate_ingest_mode mode;
    uint64_t accounts; /* that are there before */
    uint64_t first;    /* the stretch begins with this one of its mode's records, from 0 */
    unsigned batch;
    unsigned fields; /* of a record */
    uint64_t seed;   /* of the values */
};

/* Number of the account of the index-th record of request `request`. Updates reach every account
 * before they come to one again; new ones never repeat. */
uint64_t gate_ingest_number(const struct gate_ingest_work *work, uint32_t request, unsigned index);
/* `requests` requests of one contender, a power of two. */
bool gate_ingest_traffic(enum gate_ingest_who who, const struct gate_ingest_work *work,
                         uint32_t requests, struct load_traffic *traffic,
                         struct proto_fault *fault);

/* SQLite, where it was there at the build. */
struct gate_sqlite;
bool gate_sqlite_missing(void);
struct gate_sqlite *gate_sqlite_open(const char *path, bool full, struct proto_fault *fault);
void gate_sqlite_close(struct gate_sqlite *sqlite);
/* Request `request` of the work as one transaction. */
bool gate_sqlite_put(struct gate_sqlite *sqlite, const struct gate_ingest_work *work,
                     uint32_t request, struct proto_fault *fault);

#endif
