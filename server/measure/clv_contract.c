/* SPDX-License-Identifier: Apache-2.0 */
/* Lives under contract: shifted beta-geometric and beta-discrete-Weibull, which is the same with
 * time bent by a power. Counts that are none, and data that determine nothing, are refused. */
#include <math.h>

#include "server/math/special.h"
#include "server/measure/clv_fit.h"

struct contract {
    const uint32_t *lost;
    size_t periods;
    double left; /* still there after the last period */
    bool bends;
};

static double log_survival(double alpha, double beta, double bend, double t)
{
    return math_lbeta(alpha, beta + (bend == 1 ? t : pow(t, bend))) - math_lbeta(alpha, beta);
}

static double minus_log_likelihood(const double *x, void *context)
{
    const struct contract *contract = context;
    double alpha = exp(x[0]);
    double beta = exp(x[1]);
    double bend = contract->bends ? exp(x[2]) : 1;
    double sum = 0;
    double before = 0;
    for (size_t i = 0; i < contract->periods; i++) {
        double after = log_survival(alpha, beta, bend, (double)i + 1);
        /* ln (S(t − 1) − S(t)) without cancelling. */
        double gone = before + log(-expm1(after - before));
        sum += contract->lost[i] > 0 ? contract->lost[i] * gone : 0;
        before = after;
    }
    return -(sum + (contract->left > 0 ? contract->left * before : 0));
}

static bool contract_fit(const uint32_t *lost, size_t periods, uint32_t customers, bool bends,
                         struct measure_fit *fit, struct proto_fault *fault)
{
    const double start[3] = {0, 1, 0};
    uint64_t sum = 0;
    if (periods == 0 || periods > MEASURE_PERIODS_MAX) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "lost", "1 to %d periods are wanted",
                               MEASURE_PERIODS_MAX);
    }
    for (size_t i = 0; i < periods; i++) {
        sum += lost[i];
    }
    if (sum == 0 || sum > customers) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "lost",
                               "%llu of %u customers are lost; at least one must be, and no more "
                               "than there were",
                               (unsigned long long)sum, customers);
    }
    if (periods < (bends ? 3 : 2)) {
        return proto_fault_set(fault, PROTO_NO_EVIDENCE, "lost",
                               "a model of two parameters needs two periods at least, of three "
                               "parameters three");
    }
    struct contract contract = {lost, periods, (double)(customers - sum), bends};
    return measure_fit_run(minus_log_likelihood, &contract, start, bends ? 3 : 2, customers, fit,
                           fault);
}

bool measure_sbg_fit(const uint32_t *lost, size_t periods, uint32_t customers,
                     struct measure_fit *fit, struct proto_fault *fault)
{
    return contract_fit(lost, periods, customers, false, fit, fault);
}

bool measure_bdw_fit(const uint32_t *lost, size_t periods, uint32_t customers,
                     struct measure_fit *fit, struct proto_fault *fault)
{
    return contract_fit(lost, periods, customers, true, fit, fault);
}

double measure_contract_survival(const struct measure_fit *fit, double t)
{
    return exp(log_survival(fit->value[0], fit->value[1], fit->count > 2 ? fit->value[2] : 1, t));
}

double measure_contract_retention(const struct measure_fit *fit, double t)
{
    double bend = fit->count > 2 ? fit->value[2] : 1;
    return exp(log_survival(fit->value[0], fit->value[1], bend, t) -
               log_survival(fit->value[0], fit->value[1], bend, t - 1));
}

double measure_contract_residual(const struct measure_fit *fit, double discount, unsigned n)
{
    double alpha = fit->value[0];
    double beta = fit->value[1];
    if (!(discount > 0) || n == 0) {
        return MEASURE_NAN;
    }
    if (fit->count == 2) {
        double renewals = n;
        return (beta + renewals - 1) / (alpha + beta + renewals - 1) *
               math_hyp2f1(1, beta + renewals, alpha + beta + renewals, 1 / (1 + discount));
    }
    double here = measure_contract_survival(fit, n - 1.0);
    double sum = 0;
    double factor = 1;
    for (double t = n; factor > 1e-17; t++) {
        sum += measure_contract_survival(fit, t) / here * factor;
        factor /= 1 + discount;
    }
    return sum;
}
