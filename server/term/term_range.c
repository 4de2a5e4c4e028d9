/* SPDX-License-Identifier: Apache-2.0 */
/* Each end is where a function that only falls, or only rises, crosses a threshold: found by
 * halving between the ends of what is told. Where nothing crosses, the end is open. */
#include "server/term/term_range.h"

#include <math.h>

#include "server/math/special.h"

enum { HALVINGS = 50 };

static const double least_log = -11;
static const double step_log = 0.02;
static const double told_log = 8; /* ends beyond it are open */

static double log_of(int point)
{
    return least_log + step_log * (double)point;
}

void term_range_begin(struct term_range *range)
{
    term_lift_begin(&range->lift);
    for (int i = 0; i < TERM_RANGE_POINTS; i++) {
        range->log_likelihood[i] = 0;
    }
}

void term_range_add(struct term_range *range, const struct term_block *block)
{
    if (!term_block_tells(block)) {
        return;
    }
    term_lift_add(&range->lift, block);
    for (int i = 0; i < TERM_RANGE_POINTS; i++) {
        range->log_likelihood[i] += term_block_log_p(block, log_of(i));
    }
}

/* ln L between the points of the grid: Lagrange's cubic through the four around. */
static double read_at(const struct term_range *range, double log_ratio)
{
    double place = (log_ratio - least_log) / step_log;
    int at = (int)floor(place) - 1;
    at = at < 0 ? 0 : at > TERM_RANGE_POINTS - 4 ? TERM_RANGE_POINTS - 4 : at;
    const double *y = &range->log_likelihood[at];
    double t = place - (double)at;
    return -y[0] * (t - 1) * (t - 2) * (t - 3) / 6 + y[1] * t * (t - 2) * (t - 3) / 2 -
           y[2] * t * (t - 1) * (t - 3) / 2 + y[3] * t * (t - 1) * (t - 2) / 6;
}

/* ln of the mean over z of L(w e^(side z)) / L(w). */
static double log_e_at(const struct term_range *range, double log_ratio, double side)
{
    double logs[TERM_LIFT_POINTS];
    double peak = -(double)INFINITY;
    double sum = 0;
    for (int i = 0; i < TERM_LIFT_POINTS; i++) {
        logs[i] = read_at(range, log_ratio + side * range->lift.points[i]);
        peak = logs[i] > peak ? logs[i] : peak;
    }
    for (int i = 0; i < TERM_LIFT_POINTS; i++) {
        sum += exp(logs[i] - peak);
    }
    return peak + log(sum / TERM_LIFT_POINTS) - read_at(range, log_ratio);
}

/* The odds ratio at which E crosses the threshold: E_more lies above it on the left, E_less on the
 * right. */
static double rule_end(const struct term_range *range, double side, double threshold)
{
    double above = -side * told_log; /* where E is largest */
    double below = side * told_log;
    if (log_e_at(range, above, side) < threshold) {
        return side > 0 ? 0 : (double)INFINITY;
    }
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (above + below) / 2;
        if (log_e_at(range, middle, side) >= threshold) {
            above = middle;
        } else {
            below = middle;
        }
    }
    return exp((above + below) / 2);
}

static double peak_find(const struct term_range *range)
{
    int peak = 0;
    for (int i = 1; i < TERM_RANGE_POINTS; i++) {
        peak = range->log_likelihood[i] > range->log_likelihood[peak] ? i : peak;
    }
    double at = log_of(peak);
    return at < -told_log ? -told_log : at > told_log ? told_log : at;
}

/* From the peak to an end: where the likelihood falls below the floor. */
static double interval_end(const struct term_range *range, double within, double without,
                           double floor)
{
    if (read_at(range, without) > floor) {
        return without < 0 ? 0 : (double)INFINITY;
    }
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (within + without) / 2;
        if (read_at(range, middle) > floor) {
            within = middle;
        } else {
            without = middle;
        }
    }
    return exp((within + without) / 2);
}

void term_range_bounds(const struct term_range *range, double alpha, struct term_bounds *bounds)
{
    const struct term_lift *lift = &range->lift;
    double supported = alpha * TERM_SUPPORTED_SHARE;
    double refuted = alpha - supported;
    /* The mixture's likelihood is E times that of an odds ratio of 1. */
    double floor = term_lift_log_e(lift, TERM_EITHER) + lift->null + log(alpha);
    double peak = peak_find(range);
    bounds->low = interval_end(range, peak, -told_log, floor);
    bounds->high = interval_end(range, peak, told_log, floor);
    bounds->rule_low = rule_end(range, 1, -log(supported));
    bounds->rule_high = rule_end(range, -1, -log(refuted));
    bounds->log_e_more = term_lift_log_e(lift, TERM_MORE);
    bounds->log_e_less = term_lift_log_e(lift, TERM_LESS);
    bounds->verdict = term_lift_verdict(lift, alpha);
}
