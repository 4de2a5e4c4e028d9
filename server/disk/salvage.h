/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the tables of a store that cannot be opened. Nothing is changed on disk.
 *
 * Ownership: whoever opens closes; values borrow from the map. Errors: PROTO_LOCKED,
 * PROTO_NOT_FOUND, PROTO_CORRUPT where nothing is left to go by, PROTO_IO, PROTO_NO_MEMORY.
 * Threads: one. Cost: that of what is read; the list of free pages once. */
#ifndef DISK_SALVAGE_H
#define DISK_SALVAGE_H

#include "server/disk/trunk.h"
#include "server/disk/txn.h"

/* What is left of tables that LMDB need not be able to open: a snapshot of the newer meta page
 * whose tables and state can be read, else of the other. It is read as any, with disk_txn_get and
 * cursors. Holds the lock of the store. */
struct disk_salvage {
    struct disk_env env;
    struct disk_txn txn;
    size_t bytes;
    bool older; /* the newer meta page cannot be used */
    bool sound; /* meta pages, names and the list of free pages are as they must be */
};
bool disk_salvage_open(struct disk_salvage *salvage, const char *path, struct proto_fault *fault);
void disk_salvage_close(struct disk_salvage *salvage);

#endif
