/* SPDX-License-Identifier: Apache-2.0 */
/* Finds rows that repeat one account: a file of opportunities, say, with the account's values
 * copied into each. Such rows are no independent witnesses, and with one copy to learn from and one
 * held out a model can know the answer by heart. They then form groups that are never divided, and
 * intervals count groups.
 *
 * Rule: with G different profiles (values of all candidate fields) in n rows, n ≥ 3 G and G ≥ 20,
 * rows are grouped by profile if at least two fields have 0.9 G different values or more each: each
 * of them names the account. Rows that are alike because fields are few and coarse do not meet it.
 *
 * Errors: PROTO_NO_MEMORY. Threads: as sample. Cost: n log n, and per field if n ≥ 3 G. */
#ifndef LEARN_GROUPS_H
#define LEARN_GROUPS_H

#include "server/learn/sample.h"

/* groups: one per row of the sample (returned, caller frees), or NULL if rows do not repeat; *count
 * the number of groups. */
bool learn_groups_find(struct learn_sample *sample, uint32_t **groups, size_t *count,
                       struct proto_fault *fault);

#endif
