/* SPDX-License-Identifier: Apache-2.0 */
/* The fold: which source records are one account, by the entries that stand. A pure function of the
 * set of those entries and of the records' ids and times of creation, so that whatever was undone
 * has left no trace, in whatever order.
 *
 *   1. A split of a record makes every link and merge of a lower number not count for that record.
 *   2. Merges join. The first record of a merge brings its account's id.
 *   3. Two records that a never names must not be one account by merges: IDENTITY_FOLD_NEVER.
 *   4. Links join, in the order of numbers, but none that would bring together what a never keeps
 *      apart: that one is `held`. So a chain of links never joins what somebody has told apart.
 *   5. The newest pin of an account's records gives it the id instead.
 *
 * Shapes: edges ascend by number, and name records by position; of a split or pin `b` is unused.
 * Out: of each record, `account` is the position of the record that gives its account the id, which
 * is itself where it stands alone; `rank` its place in the account: that one first, then by time of
 * creation, then by id. Memory: room has 4 · count entries. Threads: pure. Cost: nearly linear in
 * edges, times the nevers among them. */
#ifndef IDENTITY_FOLD_H
#define IDENTITY_FOLD_H

#include "server/identity/identity_entry.h"

struct identity_record {
    struct proto_span id;
    int64_t created_s;
    uint32_t account;
    uint32_t rank;
};

struct identity_edge {
    uint32_t number;
    enum identity_act act;
    uint32_t a, b;
    bool held;
};

enum identity_folded { IDENTITY_FOLD_GOOD, IDENTITY_FOLD_NEVER };

/* *never: number of the entry that stands against the merges. */
enum identity_folded identity_fold(struct identity_record *records, uint32_t count,
                                   struct identity_edge *edges, size_t edge_count, uint32_t *room,
                                   uint32_t *never);

#endif
