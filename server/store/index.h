/* SPDX-License-Identifier: Apache-2.0 */
/* The index in memory: hash of an id or key → slot, for the hot path. Open addressing over lines of
 * 64 bytes with five entries each; a probe nearly always costs one cache line.
 *
 *   line: u64 hash × 5   u32 ref × 5   u32 passed
 *   ref: slot, STORE_REF_SHARED (several stored texts have this hash: ask the table), or
 *   STORE_NO_SLOT, each with all bits the other way round, so that zeroed memory is empty
 *   passed: entries that found this line full on their way and lie further on; 0 ends a search
 *
 * One writer, any number of readers, no locks. Entries change under readers, who notice: `stable`
 * names the sequence whose ids and keys the index equals, and while entries change one that no view
 * has (0 would be that of an empty store). A reader trusts an answer if `stable` was the sequence
 * of its view before and after; otherwise it asks the tables, or proves the answer by the row
 * itself. So an index that is ahead of a view never misleads it.
 *
 * Growth: a larger table is filled in slices beside the one in use, both take the changes
 * meanwhile, then the pointer is published; the old one is freed when no view can hold it (epochs).
 * The first table is filled in the same way from table `id`.
 *
 * Ownership: owns its tables. Errors: out of memory leaves the index unready; readers use LMDB.
 * Threads: as said; functions named below. Cost: about 15 ns a probe in cache; 12.8 bytes an entry
 * at full load, lines are 0.70 to 0.85 full. Source: overflow counts as in F14 (Bronson, Shi 2019).
 */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include <stdatomic.h>

#include "server/store/bucket.h"

enum { STORE_LINE_ENTRIES = 5 };

/* In place of a sequence: entries change. */
#define STORE_INDEX_CHANGES UINT64_MAX

struct store_index_line {
    _Atomic uint64_t hashes[STORE_LINE_ENTRIES];
    _Atomic uint32_t refs[STORE_LINE_ENTRIES];
    _Atomic uint32_t passed;
};
static_assert(sizeof(struct store_index_line) == 64, "one cache line");

struct store_index_table {
    struct store_index_line *lines;
    size_t line_count;
    size_t entries; /* writer */
    size_t bytes;
    uint64_t retired; /* epoch that a view must have reached before this is freed */
    struct store_index_table *next;
};

struct store_index {
    _Atomic(struct store_index_table *) table; /* NULL until the first is full */
    _Atomic uint64_t stable;
    _Atomic uint64_t epoch;
    _Atomic bool holes; /* parts of table id could not be read: absence proves nothing */
    /* The writer's. */
    struct store_index_table *growing;
    size_t copied; /* lines of the table in use that are in the growing one */
    struct store_index_table *retired;
};

/* Any reader, on a table that its view holds. STORE_NO_SLOT, a slot, or STORE_REF_SHARED. */
static inline const struct store_index_line *store_index_home(const struct store_index_table *table,
                                                              uint64_t hash)
{
    /* The upper half of the hash, spread over the lines without a division. */
    return &table->lines[(hash >> 32) * table->line_count >> 32];
}
uint32_t store_index_find(const struct store_index_table *table, uint64_t hash);

/* The writer. */
void store_index_fini(struct store_index *index);
/* Begins the first table, for so many entries; false if memory is out. */
bool store_index_begin(struct store_index *index, size_t entries);
/* Into that table, which is begun; false: memory ran out and it is gone. */
bool store_index_fill(struct store_index *index, uint64_t hash, uint32_t ref);
/* Makes changes in the table that is being filled, as store_index_change does; false as there. */
bool store_index_fill_change(struct store_index *index, const struct store_id_edit *edits,
                             size_t count);
/* Publishes the growing table as equal to sequence `seq`. */
void store_index_publish(struct store_index *index, uint64_t seq);
/* Makes the changes of a commit, in order: the index equals `seq` afterwards. False: memory ran out
 * and the index is no longer in use. A hash that several texts have had at one time stays
 * STORE_REF_SHARED until the next start: which of them are left only the tables know. */
bool store_index_change(struct store_index *index, const struct store_id_edit *edits, size_t count,
                        uint64_t seq);
/* Copies a slice of a table that grows; true if there is more to do. */
bool store_index_step(struct store_index *index);
/* Frees tables that no view holds: `least` is the lowest epoch of all views. */
void store_index_reclaim(struct store_index *index, uint64_t least);
size_t store_index_bytes(const struct store_index *index);
size_t store_index_entries(const struct store_index *index);

#endif
