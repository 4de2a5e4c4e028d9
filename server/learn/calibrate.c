/* SPDX-License-Identifier: Apache-2.0 */
/* One fit of two numbers, stretched by what the bags scatter, then points along the curve; a score
 * that says nothing gives one point. */
#include "server/learn/calibrate.h"

#include <math.h>

#include "server/math/accuracy.h"
#include "server/math/portable.h"

#define KEPT_MIN 0.5

int64_t learn_micrologits(double logits)
{
    double micro = floor(logits * 1e6 + 0.5);
    micro = micro > (double)MODEL_ENTRY_MAX ? (double)MODEL_ENTRY_MAX : micro;
    micro = micro < -(double)MODEL_ENTRY_MAX ? -(double)MODEL_ENTRY_MAX : micro;
    return (int64_t)micro;
}

static void point_add(struct model_scorecard *scorecard, int64_t raw, double p)
{
    size_t at = scorecard->calibration_count;
    if (at > 0 && raw <= scorecard->calibration_raw[at - 1]) {
        return;
    }
    scorecard->calibration_raw[at] = raw;
    scorecard->calibration_p[at] = p;
    scorecard->calibration_count = at + 1;
}

/* How much of what the scores differ by is not scatter: 1 to 0.5. */
static double kept_share(const double *scores, size_t count, double mean, double scatter)
{
    double squares = 0.0;
    for (size_t i = 0; i < count; i++) {
        squares += (scores[i] - mean) * (scores[i] - mean);
    }
    double variance = squares / (double)count;
    double kept = variance > 0.0 ? 1.0 - scatter / variance : 1.0;
    return fmax(kept, KEPT_MIN);
}

void learn_calibrate(const double *scores, const uint8_t *labels, size_t count, double scatter,
                     struct model_scorecard *scorecard)
{
    double low = scores[0];
    double high = scores[0];
    double mean = 0.0;
    size_t positives = 0;
    for (size_t i = 0; i < count; i++) {
        low = fmin(low, scores[i]);
        high = fmax(high, scores[i]);
        mean += scores[i] / (double)count;
        positives += labels[i];
    }
    /* The curve at mean + kept · (x − mean) is one of offset and slope again, so that the scores
     * are fitted as they are and the curve is stretched. */
    double kept = kept_share(scores, count, mean, scatter);
    struct math_platt fit = {0.0, 0.0};
    scorecard->calibration_count = 0;
    if (!math_platt_fit(scores, labels, count, &fit) || high - low < 1e-6) {
        point_add(scorecard, learn_micrologits(low), (double)positives / (double)count);
        return;
    }
    fit.offset -= fit.slope * mean * (1.0 - kept) / kept;
    fit.slope /= kept;
    for (unsigned i = 0; i < MODEL_CALIBRATION_POINTS_MAX; i++) {
        double x = low + (high - low) * (double)i / (MODEL_CALIBRATION_POINTS_MAX - 1);
        point_add(scorecard, learn_micrologits(x), math_logistic(fit.offset + fit.slope * x));
    }
}
