/* SPDX-License-Identifier: Apache-2.0 */
/* One bag of a fit: see boost.h. Threads: pure. Ownership: borrows everything. */
#ifndef LEARN_BOOST_BAG_H
#define LEARN_BOOST_BAG_H

#include "server/learn/boost.h"

struct learn_bag {
    const struct learn_grid *grid;
    const uint8_t *folds;
    unsigned fold;
    const double *start; /* rows, or NULL */
    const size_t *offsets;
    const struct learn_boost_options *options;
    double done_from, done_share; /* part of the whole fit that this bag is */
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
