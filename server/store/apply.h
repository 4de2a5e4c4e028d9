/* SPDX-License-Identifier: Apache-2.0 */
/* Links a finished plan into the overlay: accounts with their rows, owners of ids and keys,
 * documents, all under one sequence that no reader has reached. The only fault is want of memory;
 * the caller then takes the links back. Ownership: values are copied; edits are kept by the writer
 * until the commit, for the index in memory. Threads: the writer. Cost: about 1 µs an account with
 * two keys, its row included. */
#ifndef STORE_APPLY_H
#define STORE_APPLY_H

#include "server/store/overlay.h"
#include "server/store/plan.h"
#include "server/store/row.h"
#include "server/store/told.h"

/* Changes of ids and keys by all batches of a commit, in order. */
struct store_edits {
    struct store_id_edit *list;
    size_t count;
    size_t room;
};

bool store_edits_reserve(struct store_edits *edits, size_t more, struct proto_fault *fault);

/* Where a plan goes. */
struct store_apply {
    struct store_generation *generation;
    struct store_row_maker *rows;
    struct store_stamps *stamps;
    struct store_tolds *tolds;
    struct store_links *links;
    struct store_edits *edits;
    uint64_t seq;
};

bool store_apply(const struct store_apply *apply, const struct store_plan *plan,
                 struct proto_fault *fault);

#endif
