/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a sound store of what can be read of a damaged one, while nobody serves it.
 *
 * First it says what it would give up, and does nothing (`apply` false). Then, applied: tables are
 * written anew beside the old ones, with every account, document and operation id that can be read;
 * ids and keys, rows and look-alike vectors are made of the accounts again. An account that cannot
 * be read becomes a deleted one, a document one without text. Of the log, what follows the tables
 * without a gap is played; a log that is damaged is begun anew. What was there stays: data.damaged,
 * and log.damaged if the log was. What is given up stands in rejects-<sequence>.ndjson, a line
 * each.
 *
 * Whatever happens on the way, running it again begins from what is there. Ownership: as stated.
 * Errors: PROTO_LOCKED, PROTO_NOT_FOUND, PROTO_CORRUPT where nothing is left to go by (restore a
 * backup), PROTO_DISK_FULL, PROTO_IO, PROTO_NO_MEMORY; the store is then as it was. Threads: one.
 * Cost: reads everything, writes it once; room on the disk for both. */
#ifndef STORE_REPAIR_H
#define STORE_REPAIR_H

#include "server/store/store.h"

struct store_repair_options {
    const char *path;
    size_t map_bytes;
    bool apply;
    int64_t (*now_ms)(void *context);
    void *now_context;
    /* Each thing that is given up, for people; NULL: nobody reads it. */
    void (*on_line)(void *context, const char *text);
    void *line_context;
};

struct store_repaired {
    bool sound;        /* there was nothing to repair, and nothing was done */
    bool older;        /* the tables as the last fold but one left them */
    uint64_t accounts; /* living, that are kept */
    uint64_t accounts_lost;
    uint64_t documents_lost; /* schema and ICP versions, switches, lists */
    uint64_t operations_lost;
    uint64_t timelines_lost; /* accounts of whose events some, or all, cannot be read */
    uint64_t histories_lost; /* accounts of which what they were cannot be read, or not all */
    uint64_t batches_kept;   /* of the log, that the tables did not hold */
    uint64_t batches_lost;
    char rejects[64]; /* name of the file; "": nothing was given up, or nothing done */
};

bool store_repair(const struct store_repair_options *options, struct store_repaired *repaired,
                  struct proto_fault *fault);

#endif
