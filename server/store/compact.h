/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the tables of a store anew, packed, without the pages that are free: written into a file
 * beside them, read back whole, and put into their place by one rename. Log, identity, sequence and
 * operation ids stay. Whatever happens at any moment, one whole store is there.
 *
 * Ownership: borrows the path. Errors: PROTO_LOCKED where the store is open, PROTO_NOT_FOUND where
 * there is none, PROTO_CORRUPT for one that is damaged, PROTO_DISK_FULL; each leaves the store as
 * it was. Threads: one. Cost: two readings and one writing of all values; room on the disk for
 * those. */
#ifndef STORE_COMPACT_H
#define STORE_COMPACT_H

#include "server/store/store.h"

struct store_compacted {
    uint64_t entries;
    uint64_t bytes_before, bytes_after; /* on the disk, of the tables */
};

/* path: of the store, which is closed: what was not folded into the tables stays in the log. */
bool store_compact(const char *path, size_t map_bytes, struct store_compacted *compacted,
                   struct proto_fault *fault);

#endif
