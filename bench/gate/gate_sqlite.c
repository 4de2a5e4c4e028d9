/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/gate/gate_ingest.h"

#include <stdlib.h>

#ifdef BENCH_SQLITE
#include <sqlite3.h>

#include "bench/load/load_account.h"
#include "bench/load/load_workload.h"

struct gate_sqlite {
    sqlite3 *base;
    sqlite3_stmt *put;
    struct proto_writer record;
};

bool gate_sqlite_missing(void)
{
    return false;
}

static bool failed(struct gate_sqlite *sqlite, struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_IO, "", "SQLite: %s", sqlite3_errmsg(sqlite->base));
}

static bool run(struct gate_sqlite *sqlite, const char *sql, struct proto_fault *fault)
{
    return sqlite3_exec(sqlite->base, sql, NULL, NULL, NULL) == SQLITE_OK || failed(sqlite, fault);
}

struct gate_sqlite *gate_sqlite_open(const char *path, bool full, struct proto_fault *fault)
{
    struct gate_sqlite *sqlite = calloc(1, sizeof *sqlite);
    if (sqlite == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for SQLite");
        return NULL;
    }
    proto_writer_init(&sqlite->record);
    bool ok = sqlite3_open(path, &sqlite->base) == SQLITE_OK || failed(sqlite, fault);
    ok = ok && run(sqlite, "PRAGMA journal_mode=WAL; PRAGMA cache_size=-262144;", fault) &&
         run(sqlite, full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", fault) &&
         run(sqlite,
             "CREATE TABLE account (id TEXT PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID",
             fault) &&
         (sqlite3_prepare_v2(sqlite->base, "INSERT OR REPLACE INTO account VALUES (?, ?)", -1,
                             &sqlite->put, NULL) == SQLITE_OK ||
          failed(sqlite, fault));
    if (ok) {
        return sqlite;
    }
    gate_sqlite_close(sqlite);
    return NULL;
}

void gate_sqlite_close(struct gate_sqlite *sqlite)
{
    if (sqlite == NULL) {
        return;
    }
    sqlite3_finalize(sqlite->put);
    sqlite3_close(sqlite->base);
    proto_writer_fini(&sqlite->record);
    free(sqlite);
}

static bool record_put(struct gate_sqlite *sqlite, const struct gate_ingest_work *work,
                       uint64_t number)
{
    char id[LOAD_ID_BYTES + 1];
    load_account_id(number, id);
    proto_writer_reset(&sqlite->record);
    load_record_write(&sqlite->record, work->seed, number, work->fields);
    bool ok = proto_writer_ok(&sqlite->record) &&
              sqlite3_bind_text(sqlite->put, 1, id, LOAD_ID_BYTES, SQLITE_STATIC) == SQLITE_OK &&
              sqlite3_bind_blob(sqlite->put, 2, sqlite->record.data, (int)sqlite->record.bytes,
                                SQLITE_STATIC) == SQLITE_OK &&
              sqlite3_step(sqlite->put) == SQLITE_DONE;
    sqlite3_reset(sqlite->put);
    return ok;
}

bool gate_sqlite_put(struct gate_sqlite *sqlite, const struct gate_ingest_work *work,
                     uint32_t request, struct proto_fault *fault)
{
    bool ok = run(sqlite, "BEGIN", fault);
    for (unsigned i = 0; ok && i < work->batch; i++) {
        ok =
            record_put(sqlite, work, gate_ingest_number(work, request, i)) || failed(sqlite, fault);
    }
    return ok && run(sqlite, "COMMIT", fault);
}

#else

bool gate_sqlite_missing(void)
{
    return true;
}

struct gate_sqlite *gate_sqlite_open(const char *path, bool full, struct proto_fault *fault)
{
    (void)path;
    (void)full;
    proto_fault_set(fault, PROTO_BAD_CONFIG, "", "built without SQLite");
    return NULL;
}

void gate_sqlite_close(struct gate_sqlite *sqlite)
{
    (void)sqlite;
}

bool gate_sqlite_put(struct gate_sqlite *sqlite, const struct gate_ingest_work *work,
                     uint32_t request, struct proto_fault *fault)
{
    (void)sqlite;
    (void)work;
    (void)request;
    return proto_fault_set(fault, PROTO_BAD_CONFIG, "", "built without SQLite");
}
#endif
