/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/load_arrival.h"

#include <math.h>

void load_arrival_init(struct load_arrival *arrival, const struct load_arrival_options *options,
                       uint64_t seed)
{
    arrival->options = *options;
    arrival->at_ns = 0;
    math_random_init(&arrival->random, seed);
}

static double rate_at(const struct load_arrival_options *options, double at_ns)
{
    if (options->burst_factor <= 1 || options->burst_share <= 0 || options->burst_period_s <= 0) {
        return options->rate;
    }
    double phase = fmod(at_ns / 1e9, options->burst_period_s) / options->burst_period_s;
    if (phase < options->burst_share) {
        return options->rate * options->burst_factor;
    }
    double rest = 1 - options->burst_factor * options->burst_share;
    return options->rate * rest / (1 - options->burst_share);
}

uint64_t load_arrival_next(struct load_arrival *arrival)
{
    double gap_ns = 1e9 / rate_at(&arrival->options, arrival->at_ns);
    if (!arrival->options.even) {
        gap_ns *= -log(1 - math_random_unit(&arrival->random));
    }
    arrival->at_ns += gap_ns;
    return (uint64_t)arrival->at_ns;
}
