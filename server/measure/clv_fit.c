/* SPDX-License-Identifier: Apache-2.0 */
/* The simplex, then the curvature for intervals. A likelihood that goes on rising towards an end of
 * a parameter has no fit: that is told, no number is made of it. */
#include "server/measure/clv_fit.h"

#include <math.h>
#include <string.h>

#include "server/math/auc.h"

#define EVALUATIONS_MAX 20000
/* Beyond e^∓15 a parameter has run away: customers do not differ, or nobody buys. */
#define LOG_MAX 15.0

bool measure_fit_run(math_function minus_log_likelihood, void *context, const double *start,
                     size_t count, size_t n, struct measure_fit *fit, struct proto_fault *fault)
{
    double x[MATH_SIMPLEX_MAX];
    double covariance[MATH_SIMPLEX_MAX * MATH_SIMPLEX_MAX];
    double lowest = 0;
    memcpy(x, start, count * sizeof *x);
    bool found = math_simplex(minus_log_likelihood, context, count, x, EVALUATIONS_MAX, &lowest);
    for (size_t i = 0; i < count; i++) {
        found &= fabs(x[i]) < LOG_MAX;
    }
    if (!found) {
        return proto_fault_set(fault, PROTO_NO_EVIDENCE, "",
                               "the likelihood has no highest point: the data do not determine the "
                               "model (too few customers, or none that differ)");
    }
    bool curved = math_covariance(minus_log_likelihood, context, count, x, covariance);
    *fit = (struct measure_fit){.count = count, .log_likelihood = -lowest, .n = n};
    for (size_t i = 0; i < count; i++) {
        double error = curved ? sqrt(covariance[i * count + i]) : MEASURE_NAN;
        fit->value[i] = exp(x[i]);
        fit->low[i] = exp(x[i] - MATH_Z_95 * error);
        fit->high[i] = exp(x[i] + MATH_Z_95 * error);
    }
    return true;
}
