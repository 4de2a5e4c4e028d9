/* SPDX-License-Identifier: Apache-2.0 */
/* From a meta page to the trees of the tables: where each snapshot begins, read without LMDB.
 *
 * Ownership: trees borrow from the map. Errors: PROTO_CORRUPT, PROTO_IO. Threads: any, while a
 * transaction holds the snapshot. Cost: a page with the names of the tables, half a µs. Source:
 * struct MDB_meta of LMDB 0.9 (meta.h). */
#ifndef DISK_TRUNK_H
#define DISK_TRUNK_H

#include "server/disk/env.h"
#include "server/disk/tree.h"

/* Before LMDB opens a file: the names of the tables, and the list of free pages, whose every number
 * LMDB believes. */
bool disk_trunk_check(const char *path, struct proto_fault *fault);
/* Where LMDB has mapped the file; asked again whenever it maps it anew. No write is under way. */
bool disk_trunk_locate(struct disk_env *env, struct proto_fault *fault);

/* MOVED: the meta page of that transaction has been written over by a later one. */
enum disk_trunk_got { DISK_TRUNK_FAULT, DISK_TRUNK_MOVED, DISK_TRUNK_GOT };
enum disk_trunk_got disk_trunk_trees(const struct disk_env *env, uint64_t txn,
                                     struct disk_tree trees[DISK_TABLE_COUNT],
                                     struct proto_fault *fault);
/* Pages that later commits will use again; walks LMDB's list of them. 0 if it cannot be read. */
uint64_t disk_trunk_free(const struct disk_env *env);

#endif
