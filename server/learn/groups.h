/* SPDX-License-Identifier: Apache-2.0 */
/* Finds rows that are one account, or one company, more than once: a file of opportunities, say,
 * with the account's values copied into each, or a customer that stands in two systems. Such rows
 * are no independent witnesses: with one to learn from and one held out a model can know the answer
 * by heart. They form groups that are never divided, and intervals count groups.
 *
 * Rule: rows are of one group if they agree in a field that says who an account is, or in so many
 * rare values that chance would hardly do it (likeness.h), or if the population says that they are
 * of one account, or if a chain of such pairs joins them.
 * Who an account is, say the fields that the options name (same_field_ids) and those that are
 * called so (naming.def), where they have twenty different values or more; a value that more than
 * one row in twenty has ("unknown") says nothing.
 * Rows that are alike because fields are few and coarse are not grouped.
 *
 * Errors: PROTO_NO_MEMORY. Threads: as sample. Cost: as likeness.h. */
#ifndef LEARN_GROUPS_H
#define LEARN_GROUPS_H

#include "server/learn/sample.h"

struct learn_groups {
    uint32_t *of_row; /* NULL if no two rows are one; else below count */
    size_t count;
    size_t rows_repeated; /* that are in a group with another */
    size_t largest;       /* rows of the largest group */
    const char *name;     /* a field that named some of them, or NULL; borrowed from the schema */
    bool alike;           /* some were found by likeness */
};

bool learn_groups_find(struct learn_sample *sample, struct learn_groups *groups,
                       struct proto_fault *fault);
void learn_groups_fini(struct learn_groups *groups);
/* True if a field of this name says who an account is. */
bool learn_groups_name_says_who(const char *name);

#endif
