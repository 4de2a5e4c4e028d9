/* SPDX-License-Identifier: Apache-2.0 */
/* Four counts make all of it. What rests on too few has a verdict that says so and no interval of
 * lift. */
#include "server/measure/stated.h"

#include <math.h>

#include "server/math/accuracy.h"
#include "server/math/special.h"

static void lift_make(const struct measure_stated_counts *counts, struct measure_stated *stated)
{
    double n = (double)counts->all;
    double good = (double)counts->good;
    double matched = (double)counts->matched;
    double both = (double)counts->matched_good;
    stated->lift = matched > 0 && good > 0 ? both / matched / (good / n) : MATH_NAN;
    stated->lift_low = stated->lift_high = MATH_NAN;
    if (both > 0) {
        double of_both = 1 / both - 1 / matched - 1 / good;
        double spread = both * of_both * of_both + (matched - both) / (matched * matched) +
                        (good - both) / (good * good) - 1 / n;
        double half = math_normal_point(0.975) * sqrt(fmax(spread, 0));
        stated->lift_low = stated->lift * exp(-half);
        stated->lift_high = stated->lift * exp(half);
    }
}

static double auc_reach(double hits, double misses, double good, double others)
{
    return sqrt(hits * (1 - hits) / good + misses * (1 - misses) / others) / 2;
}

void measure_stated_of(const struct measure_stated_counts *counts, size_t k,
                       struct measure_stated *stated)
{
    uint64_t others = counts->all - counts->good;
    *stated = (struct measure_stated){.auc = MATH_NAN,
                                      .auc_low = MATH_NAN,
                                      .auc_high = MATH_NAN,
                                      .coverage = MATH_NAN,
                                      .coverage_low = MATH_NAN,
                                      .coverage_high = MATH_NAN,
                                      .verdict = "insufficient: 10 that match, 10 good ones and "
                                                 "10 others are needed"};
    lift_make(counts, stated);
    if (counts->good == 0 || others == 0) {
        return;
    }
    double hits = (double)counts->matched_good / (double)counts->good;
    double misses = (double)(counts->matched - counts->matched_good) / (double)others;
    double error = auc_reach(hits, misses, (double)counts->good, (double)others);
    double wide = error * math_normal_point(1 - 0.025 / (double)(k > 0 ? k : 1));
    stated->coverage = hits;
    math_wilson(counts->matched_good, counts->good, &stated->coverage_low, &stated->coverage_high);
    stated->auc = (1 + hits - misses) / 2;
    stated->auc_low = fmax(stated->auc - math_normal_point(0.975) * error, 0);
    stated->auc_high = fmin(stated->auc + math_normal_point(0.975) * error, 1);
    if (counts->matched >= MEASURE_STATED_LEAST && counts->good >= MEASURE_STATED_LEAST &&
        others >= MEASURE_STATED_LEAST) {
        stated->verdict = stated->auc - wide > 0.5   ? "better than chance"
                          : stated->auc + wide < 0.5 ? "worse than chance"
                                                     : "no better than chance";
    }
}
