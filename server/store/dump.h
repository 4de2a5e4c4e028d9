/* SPDX-License-Identifier: Apache-2.0 */
/* A store as entries and batches: everything that it holds at one moment, read in order and
 * checked, to be written somewhere else; and the same the other way round.
 *
 * A dump has everything folded into the tables, then reads them from one snapshot, entry by entry,
 * in the order of tables and keys, and checks each value; at its end count and digest of each table
 * must be those that the state says. A log reader gives the batches after a sequence, as they were
 * accepted. A rebuild makes a store of the entries of a dump, in the same order, packed as tightly
 * as LMDB can; batches then follow through store_batch_again.
 *
 * A dump holds its snapshot as long as it lives: pages that commits free meanwhile are not used
 * again, so the file can grow by what is written meanwhile. Older than view_ms_max, it ends.
 *
 * Ownership: whoever opens closes; keys and values borrow until the next call. Errors:
 * PROTO_CORRUPT for a value that does not match its check, PROTO_NOT_FOUND for batches that were
 * dropped from the log, else those of the store. Threads: each object one thread; any number beside
 * a running store. Cost: 1 to 2 GB/s of values that are in memory. */
#ifndef STORE_DUMP_H
#define STORE_DUMP_H

#include "server/disk/txn.h"
#include "server/store/store.h"

struct store_dump;
struct store_rebuild;

/* What tells a store from all others, and stays with it through restores: made of its seeds. */
uint64_t store_identity(const struct store *store);

struct store_entry {
    enum disk_table table;
    uint64_t key;
    struct proto_span value;
};

struct store_dump *store_dump_open(struct store *store, struct proto_fault *fault);
void store_dump_close(struct store_dump *dump);
/* The dump holds every batch up to this sequence. */
uint64_t store_dump_seq(const struct store_dump *dump);
/* How many entries it will give. */
uint64_t store_dump_entries(const struct store_dump *dump);
enum disk_got store_dump_next(struct store_dump *dump, struct store_entry *entry,
                              struct proto_fault *fault);

struct store_logged {
    uint64_t seq;
    int64_t time_ms;
    uint32_t commands;
    struct proto_span text; /* the commands, as store_batch_again takes them */
};

/* Calls back with each batch after `after` up to `last` in order; ends early, without a fault,
 * where each() returns false. PROTO_NOT_FOUND if the batch after `after` is not kept any more. */
bool store_log_read(struct store *store, uint64_t after, uint64_t last,
                    bool (*each)(void *context, const struct store_logged *logged), void *context,
                    struct proto_fault *fault);
/* The last batch that is durable. */
uint64_t store_log_head(struct store *store, struct proto_fault *fault);
/* The oldest batch that is kept; the last one + 1: none is. */
uint64_t store_log_floor(struct store *store, struct proto_fault *fault);
/* What ties a chain of batches together: a hash of one batch, its sequence and its time. */
uint64_t store_log_link(const struct store_logged *logged);
/* A batch of the log again: its commands and the time that it had. NULL: no memory. */
struct store_batch *store_batch_again(const struct store_logged *logged);

/* path: of a directory that holds no store yet. */
struct store_rebuild *store_rebuild_open(const char *path, size_t map_bytes,
                                         struct proto_fault *fault);
/* In the order of a dump. Checks the value; commits now and then. */
bool store_rebuild_put(struct store_rebuild *rebuild, const struct store_entry *entry,
                       struct proto_fault *fault);
/* Holds counts and digests of all that was put against the state that was among it, commits, and
 * closes. The store can then be opened. */
bool store_rebuild_finish(struct store_rebuild *rebuild, struct proto_fault *fault);
/* Gives up; what was made is not a store. NULL is fine. */
void store_rebuild_abort(struct store_rebuild *rebuild);

#endif
