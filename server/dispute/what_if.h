/* SPDX-License-Identifier: Apache-2.0 */
/* Who changes grade if another version were active: how many from which grade to which, by the
 * values of a field such as the owner or the segment, and who most; and what that does to expected
 * value, p times what an account is worth if it has the outcome, where a version has learned that.
 * Nothing is activated.
 *
 * Expected value is in the unit of the field that the version learned, of each account in whole
 * hundredths, so that parts, and moves, add up to the total exactly (below 9 * 10^13).
 *
 * Ownership: parts and changed are freed by dispute_what_if_fini; words are borrowed from dispute
 * until the next question. Errors: PROTO_NO_ICP, PROTO_NOT_FOUND, PROTO_BAD_FIELD, PROTO_BAD_FILTER
 * with the column, those of dispute_column. Threads: that of the lane SCAN. Cost: 10 ns an account
 * once the columns are there (dispute_column.h), 40 with values. */
#ifndef DISPUTE_WHAT_IF_H
#define DISPUTE_WHAT_IF_H

#include "server/dispute/dispute_column.h"

enum { DISPUTE_GRADES = 4 };

struct dispute_what_if {
    uint64_t icp, against;    /* against 0: the active version */
    struct proto_span filter; /* on values; empty: every account */
    struct proto_span by;     /* a category or flag field, or "segment" where there is none of that
                                 name: the label of an account; empty: none */
    size_t most;              /* of the accounts that change grade, those whose fit moves most */
};

/* By the version that is compared with, and by the other; 0 by one that has no value. */
struct dispute_worth {
    double before, after;
};

struct dispute_what_if_part {
    const char *value; /* NULL: missing */
    uint64_t accounts, up, down;
    uint64_t best_before, best_after; /* of grade A */
    struct dispute_worth expected;
};

struct dispute_what_if_account {
    uint32_t slot;
    char grade_before, grade_after;
    double fit_before, fit_after;
    struct dispute_worth expected;
};

struct dispute_what_if_result {
    uint32_t icp, against;
    uint64_t accounts;
    uint64_t moves[DISPUTE_GRADES][DISPUTE_GRADES]; /* [before][after], from A */
    const char *value_before, *value_after; /* fields that the versions learned as value, borrowed
                                               from the state; NULL: none, and nothing expected */
    struct dispute_worth expected, moved[DISPUTE_GRADES][DISPUTE_GRADES];
    struct dispute_what_if_part *parts; /* most accounts first */
    size_t part_count;
    struct dispute_what_if_account *changed; /* by how far fit moves, the farthest first */
    size_t changed_count;
};

bool dispute_what_if(struct dispute *dispute, struct engine_worker *worker,
                     const struct engine_job *job, const struct dispute_what_if *question,
                     struct dispute_what_if_result *result, struct proto_fault *fault);
void dispute_what_if_fini(struct dispute_what_if_result *result);

#endif
