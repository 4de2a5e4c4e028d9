/* SPDX-License-Identifier: Apache-2.0 */
#include "server/math/accuracy.h"

#include <assert.h>
#include <math.h>

#include "server/math/auc.h"
#include "server/math/portable.h"

double math_brier(const double *p, const uint8_t *labels, size_t count)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        double gap = p[i] - (labels[i] != 0 ? 1.0 : 0.0);
        sum += gap * gap;
    }
    return sum / (double)count;
}

double math_log_loss(const double *p, const uint8_t *labels, size_t count)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        double right = labels[i] != 0 ? p[i] : 1.0 - p[i];
        right = right < 1e-15 ? 1e-15 : right;
        sum -= math_log(right > 1.0 - 1e-15 ? 1.0 - 1e-15 : right);
    }
    return sum / (double)count;
}

double math_ece(const double *p, const uint8_t *labels, size_t count, unsigned bins)
{
    assert(bins >= 1 && bins <= 64);
    double gaps[64] = {0.0};
    for (size_t i = 0; i < count; i++) {
        unsigned bin = (unsigned)(p[i] * (double)bins);
        gaps[bin < bins ? bin : bins - 1] += p[i] - (labels[i] != 0 ? 1.0 : 0.0);
    }
    double sum = 0.0;
    for (unsigned b = 0; b < bins; b++) {
        sum += fabs(gaps[b]);
    }
    return sum / (double)count;
}

void math_wilson_share(double share, double n, double z, double *low, double *high)
{
    assert(n > 0 && share >= 0 && share <= 1);
    const double z2 = z * z;
    double middle = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    double half = z / (1.0 + z2 / n) * sqrt(share * (1.0 - share) / n + z2 / (4.0 * n * n));
    *low = share == 0 ? 0.0 : fmax(0.0, middle - half);
    *high = share == 1 ? 1.0 : fmin(1.0, middle + half);
}

void math_wilson(size_t positives, size_t total, double *low, double *high)
{
    assert(total > 0 && positives <= total);
    math_wilson_share((double)positives / (double)total, (double)total, MATH_Z_95, low, high);
}

struct platt_targets {
    double positive;
    double negative;
};

static double platt_loss(const double *x, const uint8_t *labels, size_t count,
                         const struct platt_targets *targets, const struct math_platt *fit)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        double f = fit->offset + fit->slope * x[i];
        double target = labels[i] != 0 ? targets->positive : targets->negative;
        /* Cross entropy with a soft target is the loss for label 1 plus (1 − target) · f. */
        sum += math_logistic_loss(f, 1) + (1.0 - target) * f;
    }
    return sum;
}

/* One Newton step; false when the gradient has vanished. */
static bool platt_step(const double *x, const uint8_t *labels, size_t count,
                       const struct platt_targets *targets, const struct math_platt *fit,
                       struct math_platt *step)
{
    double g0 = 0.0;
    double g1 = 0.0;
    double h00 = 1e-9;
    double h01 = 0.0;
    double h11 = 1e-9;
    for (size_t i = 0; i < count; i++) {
        double p = math_logistic(fit->offset + fit->slope * x[i]);
        double gap = p - (labels[i] != 0 ? targets->positive : targets->negative);
        double weight = p * (1.0 - p);
        g0 += gap;
        g1 += gap * x[i];
        h00 += weight;
        h01 += weight * x[i];
        h11 += weight * x[i] * x[i];
    }
    double determinant = h00 * h11 - h01 * h01;
    if (fabs(g0) + fabs(g1) < 1e-9 * (double)count || !(determinant > 0.0)) {
        return false;
    }
    step->offset = -(h11 * g0 - h01 * g1) / determinant;
    step->slope = -(h00 * g1 - h01 * g0) / determinant;
    return true;
}

bool math_platt_fit(const double *x, const uint8_t *labels, size_t count, struct math_platt *fit)
{
    size_t positives = 0;
    for (size_t i = 0; i < count; i++) {
        positives += labels[i] != 0;
    }
    if (positives == 0 || positives == count) {
        return false;
    }
    double n1 = (double)positives;
    double n0 = (double)(count - positives);
    const struct platt_targets targets = {(n1 + 1.0) / (n1 + 2.0), 1.0 / (n0 + 2.0)};
    const struct math_platt flat = {math_log((n1 + 1.0) / (n0 + 1.0)), 0.0};
    *fit = flat;
    double loss = platt_loss(x, labels, count, &targets, fit);
    for (unsigned round = 0; round < 100; round++) {
        struct math_platt step;
        if (!platt_step(x, labels, count, &targets, fit, &step)) {
            break;
        }
        bool better = false;
        for (double length = 1.0; length > 1e-6 && !better; length *= 0.5) {
            struct math_platt tried = {fit->offset + length * step.offset,
                                       fit->slope + length * step.slope};
            double tried_loss = platt_loss(x, labels, count, &targets, &tried);
            if (tried_loss < loss) {
                *fit = tried;
                loss = tried_loss;
                better = true;
            }
        }
        if (!better) {
            break;
        }
    }
    if (!(fit->slope > 0.0)) {
        *fit = flat;
    }
    return true;
}
