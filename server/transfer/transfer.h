/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that a store holds as lines of text, out of a running server and into an empty one:
 * schema and ICP versions, source records of accounts, target account lists, switches, challenges,
 * identity entries, entries of plans, definitions of metrics, segments, events, with their times
 * and numbers (docs/portable.md).
 *
 * Out. A job writes all lines, as one view sees them, into a file of the data directory that has no
 * name any more; it is then read piece by piece. So whoever reads slowly holds no old pages back,
 * and what is read is of one moment. TRANSFER_KEPT files are kept at most; the oldest goes when
 * another comes, each when its end was read, all with the process.
 *
 * In. Lines come in order, as many as a frame holds: any number of accounts, of entries or of
 * events, or one other line by itself. Each request is stored whole or not at all. The first line
 * wants an empty store; with `again` lines that are stored already, just as they are, are passed
 * over, so that an import that was cut off is begun again with the same file. The last line counts.
 *
 * Ownership: said at each call. Errors: PROTO_BAD_FIELD and PROTO_CONFLICT with line and column in
 * the message, PROTO_DISK_FULL, PROTO_NOT_FOUND for an export that is gone, those of the store.
 * Threads: any. Cost: some 200 MB/s out; in, what the same accounts would cost to put. */
#ifndef TRANSFER_TRANSFER_H
#define TRANSFER_TRANSFER_H

#include "server/engine/ingest.h"

#define TRANSFER_KEPT 4

/* What lines tell of: X(KIND, "name, and first member of its lines", "count in the last line"). In
 * the order of a file. */
#define TRANSFER_KINDS(X)                                                                          \
    X(SCHEMA, "schema", "schemas")                                                                 \
    X(ICP, "icp", "icps")                                                                          \
    X(ACCOUNT, "account", "accounts")                                                              \
    X(LIST, "list", "lists")                                                                       \
    X(SWITCH, "switch", "switches")                                                                \
    X(CHALLENGE, "challenge", "challenges")                                                        \
    X(IDENTITY, "identity", "identities")                                                          \
    X(TERM, "plan", "plan_entries")                                                                \
    X(METRIC, "metric", "metrics")                                                                 \
    X(SEGMENT, "segment", "segments")                                                              \
    X(EVENT, "event", "events")
enum transfer_kind {
#define X(KIND, name, plural) TRANSFER_##KIND,
    TRANSFER_KINDS(X)
#undef X
        TRANSFER_KIND_COUNT
};

struct transfer;
/* folder: of the server's data; borrowed for the call. NULL: no memory. */
struct transfer *transfer_create(const char *folder, struct proto_fault *fault);
void transfer_destroy(struct transfer *transfer); /* NULL is fine; its jobs have ended */

struct transfer_exported {
    uint64_t seq, bytes;
    uint64_t counts[TRANSFER_KIND_COUNT];
    uint64_t damaged; /* lines that say that something could not be read */
};
struct transfer_export {
    int64_t deadline_ms;
    void (*on_progress)(void *context, const struct engine_job_info *info);
    void (*on_done)(void *context, const struct engine_job_info *info);
    void *context;
    struct transfer_exported *result; /* borrowed until on_done has run */
};
/* Queues the job, whose number the export has; 0 with *fault, and then no callback runs. */
uint64_t transfer_export(struct transfer *transfer, struct engine *engine,
                         const struct transfer_export *request, struct proto_fault *fault);
/* Bytes of an export from `at`, no character cut in two; *got 0 at its end, and then it is gone. */
bool transfer_read(struct transfer *transfer, uint64_t number, uint64_t at, uint8_t *room,
                   size_t room_bytes, size_t *got, struct proto_fault *fault);

struct transfer_import {
    struct proto_span lines; /* each with its end of line */
    uint64_t line;           /* number of the first */
    bool again;
};
enum transfer_took {
    TRANSFER_REFUSED, /* *fault says why */
    TRANSFER_NOTHING, /* there was nothing to write; on_done is not called */
    TRANSFER_LATER,   /* on_done tells */
};
/* *present: lines that were stored already. */
enum transfer_took transfer_import(struct engine_worker *worker,
                                   const struct transfer_import *import,
                                   const struct engine_write *write, uint64_t *present,
                                   struct proto_fault *fault);

#endif
