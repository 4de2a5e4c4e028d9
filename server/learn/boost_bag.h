/* SPDX-License-Identifier: Apache-2.0 */
/* One bag of a fit: see boost.h. Threads: pure. Ownership: borrows everything. */
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
    const struct learn_boost_options
        *options; /* its progress is the whole fit's, not called here */
    bool (*on_progress)(void *context, double done); /* of this bag, 0 to 1 */
    void *progress_context;
};

struct learn_bag_result {
    double *tables; /* offsets[columns], zero on entry */
    double intercept;
    double loss; /* of the rows left out, at the round that it stopped at */
    unsigned rounds;
};

bool learn_bag_fit(const struct learn_bag *bag, struct learn_bag_result *result,
                   struct proto_fault *fault);

#endif
