/* SPDX-License-Identifier: Apache-2.0 */
/* What reading a store as entries and making one of them share. A walk is one snapshot of an
 * environment, table by table, each entry and each table checked. Ownership: whoever opens closes;
 * values borrow until the next call. Errors: PROTO_CORRUPT, and those of the disk. Threads: each
 * object one. */
#ifndef STORE_DUMP_PARTS_H
#define STORE_DUMP_PARTS_H

#include "server/store/dump.h"

/* The value matches its check, which is over table and key too. */
bool store_entry_good(const struct store_entry *entry);
/* Count and digest of a table are those of the state. */
bool store_sum_good(const struct disk_state *state, enum disk_table table,
                    const struct disk_sum *sum, struct proto_fault *fault);

struct store_walk {
    struct disk_txn txn;
    struct disk_cursor cursor;
    bool open; /* the cursor */
    enum disk_table table;
    struct disk_sum sum; /* of the table under way */
};
bool store_walk_open(struct store_walk *walk, const struct disk_env *env,
                     struct proto_fault *fault);
void store_walk_close(struct store_walk *walk);
uint64_t store_walk_entries(const struct store_walk *walk);
enum disk_got store_walk_next(struct store_walk *walk, struct store_entry *entry,
                              struct proto_fault *fault);

/* As store_rebuild_open, into one file of that name, of a store whose log stays where it is. */
struct store_rebuild *store_rebuild_open_file(const char *name, size_t map_bytes,
                                              struct proto_fault *fault);

#endif
