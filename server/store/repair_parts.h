/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a repair share. Contract, ownership and threads: repair.h. */
#ifndef STORE_REPAIR_PARTS_H
#define STORE_REPAIR_PARTS_H

#include <stdio.h>

#include "server/disk/salvage.h"
#include "server/log/commit_log.h"
#include "server/store/repair.h"
#include "server/store/store_parts.h"

struct repair {
    const struct store_repair_options *options;
    struct store_repaired *repaired;
    struct disk_salvage salvage;
    struct store_hasher hasher;
    FILE *rejects;       /* NULL: nothing is written */
    struct disk_env out; /* the new tables */
    struct disk_txn txn; /* into them */
    bool writing;        /* both are there */
    size_t stretch;      /* bytes in the transaction */
    struct store_bucket_room room;
    struct store_edits edits;
    uint8_t *told; /* a bit for each slot of which events are kept; NULL: nothing was ever told */
    bool damaged;  /* something of the tables is */
    bool log_damaged;
};

/* repair_reject.c: one thing that is given up. `id`: what it may have been; may be empty. */
void store_repair_reject(struct repair *repair, const char *what, uint64_t number,
                         struct proto_span id, const char *why);
/* A batch of the log with the ids that it was about. */
void store_repair_reject_batch(struct repair *repair, const struct log_entry *entry,
                               const char *why);

/* repair_event.c: the events of an account that is kept. Of a block that cannot be read only how
 * many events it held is known, and that not always. */
bool store_repair_events(struct repair *repair, uint32_t slot, struct proto_span id,
                         struct proto_fault *fault);

/* repair_past.c: the history of an account that is kept and has one, whose newest piece is of that
 * run; what is written is of run 0. */
bool store_repair_past(struct repair *repair, uint32_t slot, uint32_t run,
                       const struct feature_record *record, struct proto_fault *fault);

/* Before the first account, and behind the last: the directory of events. */
bool store_repair_directory_begin(struct repair *repair, struct proto_fault *fault);
bool store_repair_directory_end(struct repair *repair, struct proto_fault *fault);

/* repair_tables.c. A value behind all that the table has, where `writing`. */
bool store_repair_value(struct repair *repair, enum disk_table table, uint64_t key,
                        struct proto_span value, struct proto_fault *fault);
/* Reads every table, and writes it where `writing`. */
bool store_repair_tables(struct repair *repair, struct proto_fault *fault);

#endif
