/* SPDX-License-Identifier: Apache-2.0 */
/* When requests are meant to be sent in an open loop: the schedule does not wait for replies.
 * Units: nanoseconds from the start of the run; rates per second. Poisson arrivals (exponential
 * gaps) or even ones; bursts multiply the rate for a part of each period and lower it for the rest,
 * so that the mean stays. Ownership: a plain value. Threads: one. Cost: about 20 ns a draw. */
#ifndef BENCH_LOAD_ARRIVAL_H
#define BENCH_LOAD_ARRIVAL_H

#include <stdbool.h>

#include "server/math/random.h"

struct load_arrival_options {
    double rate;         /* mean, per second */
    bool even;           /* equal gaps instead of Poisson */
    double burst_factor; /* 0 or 1: no bursts */
    double burst_share;  /* of each period that is a burst; factor · share < 1 */
    double burst_period_s;
};

struct load_arrival {
    struct load_arrival_options options;
    struct math_random random;
    double at_ns;
};

void load_arrival_init(struct load_arrival *arrival, const struct load_arrival_options *options,
                       uint64_t seed);
/* Time of the next request; never goes back. */
uint64_t load_arrival_next(struct load_arrival *arrival);

#endif
