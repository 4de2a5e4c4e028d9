/* SPDX-License-Identifier: Apache-2.0 */
/* One bag of a fit: see boost.h, which says when it stops. Threads: pure; one bag is of one thread
 * at a time. Ownership: borrows what it is told. */
#ifndef LEARN_BOOST_BAG_H
#define LEARN_BOOST_BAG_H

#include "server/learn/boost.h"

/* Rows that a round looks at, at least, where there are twice as many or more: some 500 for each of
 * 255 bins. Fewer rows are looked at whole. */
#define LEARN_PART_ROWS 131072
/* Rows left out that tell when to stop: their loss errs by 0.3 % at most, and what is compared is
 * the loss of the same rows. */
#define LEARN_STOP_ROWS_MAX 131072

struct learn_bag {
    const struct learn_grid *grid;
    const uint8_t *folds;
    unsigned fold;
    const double *start; /* rows, or NULL */
    const size_t *offsets;
    const struct learn_boost_options *options; /* its progress is the whole fit's, not called */
};

/* A bag at work: where it stands after the rounds so far. */
struct learn_bag_work;

/* Before the first round. bag must outlive it. NULL: no memory. */
struct learn_bag_work *learn_bag_begin(const struct learn_bag *bag);
void learn_bag_end(struct learn_bag_work *work); /* NULL is fine */

/* So many rounds more. */
void learn_bag_go(struct learn_bag_work *work, unsigned rounds);
/* Of the rows left out, by the tables as they are. */
double learn_bag_loss(const struct learn_bag_work *work);
/* offsets[columns] entries, the work's own. */
const double *learn_bag_tables(const struct learn_bag_work *work);
double learn_bag_intercept(const struct learn_bag_work *work);

#endif
