/* SPDX-License-Identifier: Apache-2.0 */
/* Divides rows into a part to learn from and a part held out, and a part to learn from into folds.
 * Rows of one group always stay together, so that copies of one profile cannot be learned by heart
 * and then be met again in the held-out part. Shapes: labels[rows] 0 or 1; groups[rows] <
 * group_count, or NULL for every row its own. Errors: false is "no memory". Threads: pure. Cost:
 * O(rows), by time O(rows log rows). */
#ifndef LEARN_SPLIT_H
#define LEARN_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct learn_split_rows {
    size_t rows;
    const uint8_t *labels;
    const uint32_t *groups;
    size_t group_count;
};

/* held_out[rows]: true for a share of the rows, drawn with the seed, the same share of positives as
 * of negatives (within one row; with groups, whole groups until the share is reached). */
bool learn_split_random(const struct learn_split_rows *rows, double share, uint64_t seed,
                        bool *held_out);
/* The latest share of those rows that have a time (finite); rows at the same time stay together, on
 * the side of learning. Rows without a time are learned from: nothing says that they came later. */
bool learn_split_time(const double *times, size_t rows, double share, bool *held_out);
/* With groups: passed[rows] is true for rows held out whose group has a row that is not, which are
 * then on neither side; returns how many in *count. */
bool learn_split_pass_known(const struct learn_split_rows *rows, const bool *held_out, bool *passed,
                            size_t *count);
/* folds[rows] < fold_count, equal shares of positives and negatives in each. */
bool learn_split_folds(const struct learn_split_rows *rows, unsigned fold_count, uint64_t seed,
                       uint8_t *folds);

#endif
