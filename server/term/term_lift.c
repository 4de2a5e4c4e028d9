/* SPDX-License-Identifier: Apache-2.0 */
/* Everything is summed in logarithms, largest first taken out, so that nothing over- or underflows
 * whatever the size of a block. The likelihood falls on either side of its peak in the logarithm of
 * the odds ratio, so the ends of the interval are found by halving. */
#include "server/term/term_lift.h"

#include <math.h>

#include "server/math/special.h"

enum { HALVINGS = 80, PREPARED_MOST = 256 };
/* Beyond an odds ratio of e^30 nobody tells ends from infinity. */
static const double far_log = 30;

static double log_choose(uint32_t n, uint32_t k)
{
    return math_lgamma((double)n + 1) - math_lgamma((double)k + 1) -
           math_lgamma((double)(n - k) + 1);
}

static uint32_t least_on(const struct term_block *block)
{
    return block->won > block->off ? block->won - block->off : 0;
}

static uint32_t most_on(const struct term_block *block)
{
    return block->won < block->on ? block->won : block->on;
}

bool term_block_tells(const struct term_block *block)
{
    return most_on(block) > least_on(block);
}

static double term_log(const struct term_block *block, uint32_t k, double log_ratio)
{
    return log_choose(block->on, k) + log_choose(block->off, block->won - k) +
           (double)k * log_ratio;
}

/* ln of the sum over k of e^(logs[k] + k * log_ratio), the largest taken out as it is met. */
struct summing {
    double peak, sum;
};

static void sum_add(struct summing *summing, double log_term)
{
    if (log_term > summing->peak) {
        summing->sum = summing->sum * exp(summing->peak - log_term) + 1;
        summing->peak = log_term;
    } else {
        summing->sum += exp(log_term - summing->peak);
    }
}

/* Neighbours differ by a factor that follows from the counts. */
static double log_step(const struct term_block *block, uint32_t k)
{
    return log((double)(block->on - k) * (double)(block->won - k)) -
           log((double)(k + 1) * (double)(block->off + k + 1 - block->won));
}

double term_block_log_p(const struct term_block *block, double log_ratio)
{
    struct summing summing = {-(double)INFINITY, 0};
    uint32_t least = least_on(block);
    uint32_t most = most_on(block);
    double at = term_log(block, least, log_ratio);
    double wanted = 0;
    for (uint32_t k = least; k <= most; k++) {
        wanted = k == block->won_on ? at : wanted;
        sum_add(&summing, at);
        if (k < most) {
            at += log_step(block, k) + log_ratio;
        }
    }
    return wanted - summing.peak - log(summing.sum);
}

/* The same for many odds ratios: what does not depend on them is worked out once. */
struct prepared {
    uint32_t least, count, at; /* at: which of them was seen */
    double logs[PREPARED_MOST];
};

static bool prepare(const struct term_block *block, struct prepared *prepared)
{
    prepared->least = least_on(block);
    prepared->count = most_on(block) - prepared->least + 1;
    prepared->at = block->won_on - prepared->least;
    if (prepared->count > PREPARED_MOST) {
        return false;
    }
    prepared->logs[0] = term_log(block, prepared->least, 0);
    for (uint32_t i = 1; i < prepared->count; i++) {
        prepared->logs[i] = prepared->logs[i - 1] + log_step(block, prepared->least + i - 1);
    }
    return true;
}

static double prepared_log_p(const struct prepared *prepared, double log_ratio)
{
    struct summing summing = {-(double)INFINITY, 0};
    for (uint32_t i = 0; i < prepared->count; i++) {
        sum_add(&summing, prepared->logs[i] + (double)i * log_ratio);
    }
    return prepared->logs[prepared->at] + (double)prepared->at * log_ratio - summing.peak -
           log(summing.sum);
}

void term_lift_begin(struct term_lift *lift)
{
    *lift = (struct term_lift){.null = 0};
    for (int i = 0; i < TERM_LIFT_POINTS; i++) {
        double share = ((double)i + 0.5) / TERM_LIFT_POINTS;
        lift->points[i] = math_normal_point((1 + share) / 2);
    }
}

void term_lift_add(struct term_lift *lift, const struct term_block *block)
{
    struct prepared prepared;
    if (!term_block_tells(block)) {
        return;
    }
    bool small = prepare(block, &prepared);
    for (int i = 0; i < TERM_LIFT_POINTS; i++) {
        double ratio = lift->points[i];
        lift->more[i] += small ? prepared_log_p(&prepared, ratio) : term_block_log_p(block, ratio);
        lift->less[i] +=
            small ? prepared_log_p(&prepared, -ratio) : term_block_log_p(block, -ratio);
    }
    lift->null += small ? prepared_log_p(&prepared, 0) : term_block_log_p(block, 0);
}

/* ln of the mean of exponentials. */
static double log_mean(const double *logs)
{
    double peak = -(double)INFINITY;
    double sum = 0;
    for (int i = 0; i < TERM_LIFT_POINTS; i++) {
        peak = logs[i] > peak ? logs[i] : peak;
    }
    for (int i = 0; i < TERM_LIFT_POINTS; i++) {
        sum += exp(logs[i] - peak);
    }
    return peak + log(sum / TERM_LIFT_POINTS);
}

/* ln of the mixture's likelihood. */
static double log_mixture(const struct term_lift *lift, enum term_side side)
{
    double more = log_mean(lift->more);
    double less = log_mean(lift->less);
    double peak = more > less ? more : less;
    return side == TERM_MORE   ? more
           : side == TERM_LESS ? less
                               : peak + log((exp(more - peak) + exp(less - peak)) / 2);
}

double term_lift_log_e(const struct term_lift *lift, enum term_side side)
{
    return log_mixture(lift, side) - lift->null;
}

static double log_likelihood(const struct term_block *blocks, size_t count, double log_ratio)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += term_block_tells(&blocks[i]) ? term_block_log_p(&blocks[i], log_ratio) : 0;
    }
    return sum;
}

/* How many of the block's won are on the list, on average. */
static double block_mean(const struct term_block *block, double log_ratio)
{
    struct summing all = {-(double)INFINITY, 0};
    struct summing weighed = {-(double)INFINITY, 0};
    uint32_t most = most_on(block);
    double at = term_log(block, least_on(block), log_ratio);
    for (uint32_t k = least_on(block); k <= most; k++) {
        sum_add(&all, at);
        if (k > 0) {
            sum_add(&weighed, at + log((double)k));
        }
        at += k < most ? log_step(block, k) + log_ratio : 0;
    }
    return exp(weighed.peak - all.peak) * weighed.sum / all.sum;
}

/* How much more were won on the list than the odds ratio makes one expect; falls with it. */
static double surplus(const struct term_block *blocks, size_t count, double log_ratio)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (term_block_tells(&blocks[i])) {
            sum += (double)blocks[i].won_on - block_mean(&blocks[i], log_ratio);
        }
    }
    return sum;
}

static bool any_tells(const struct term_block *blocks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (term_block_tells(&blocks[i])) {
            return true;
        }
    }
    return false;
}

static double peak_find(const struct term_block *blocks, size_t count)
{
    double low = -far_log;
    double high = far_log;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (low + high) / 2;
        if (surplus(blocks, count, middle) > 0) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return (low + high) / 2;
}

double term_lift_conditional(const struct term_block *blocks, size_t count)
{
    if (!any_tells(blocks, count)) {
        return MATH_NAN;
    }
    /* All that were won are on one side: no finite ratio is the likeliest. */
    double peak = peak_find(blocks, count);
    double far = far_log - 1e-6;
    return peak > far ? (double)INFINITY : peak < -far ? 0 : exp(peak);
}

double term_lift_mantel(const struct term_block *blocks, size_t count)
{
    double above = 0;
    double below = 0;
    for (size_t i = 0; i < count; i++) {
        const struct term_block *block = &blocks[i];
        double all = (double)block->on + (double)block->off;
        double won_off = (double)block->won - (double)block->won_on;
        if (all > 0) {
            above += (double)block->won_on * ((double)block->off - won_off) / all;
            below += ((double)block->on - (double)block->won_on) * won_off / all;
        }
    }
    return below > 0 ? above / below : MATH_NAN;
}

/* Between the peak, which is within, and a point far away: where ln E crosses the threshold. */
static double end_find(const struct term_block *blocks, size_t count, double floor, double within,
                       double without)
{
    if (log_likelihood(blocks, count, without) > floor) {
        return without;
    }
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (within + without) / 2;
        if (log_likelihood(blocks, count, middle) > floor) {
            within = middle;
        } else {
            without = middle;
        }
    }
    return (within + without) / 2;
}

void term_lift_interval(const struct term_block *blocks, size_t count, double alpha, double *low,
                        double *high)
{
    struct term_lift lift;
    *low = 0;
    *high = (double)INFINITY;
    if (!any_tells(blocks, count)) {
        return;
    }
    term_lift_begin(&lift);
    for (size_t i = 0; i < count; i++) {
        term_lift_add(&lift, &blocks[i]);
    }
    double floor = log_mixture(&lift, TERM_EITHER) + log(alpha);
    double peak = peak_find(blocks, count);
    double least = end_find(blocks, count, floor, peak, -far_log);
    double most = end_find(blocks, count, floor, peak, far_log);
    *low = least > -far_log ? exp(least) : 0;
    *high = most < far_log ? exp(most) : (double)INFINITY;
}

enum term_verdict term_lift_verdict(const struct term_lift *lift, double alpha)
{
    double supported = alpha * TERM_SUPPORTED_SHARE;
    double refuted = alpha - supported;
    return term_lift_log_e(lift, TERM_MORE) >= -log(supported) ? TERM_SUPPORTED
           : term_lift_log_e(lift, TERM_LESS) >= -log(refuted) ? TERM_REFUTED
                                                               : TERM_INSUFFICIENT;
}

const char *term_verdict_word(enum term_verdict verdict)
{
    static const char *const words[] = {[TERM_INSUFFICIENT] = "insufficient",
                                        [TERM_SUPPORTED] = "supported",
                                        [TERM_REFUTED] = "refuted"};
    return words[verdict];
}
