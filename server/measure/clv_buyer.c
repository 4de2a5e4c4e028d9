/* SPDX-License-Identifier: Apache-2.0 */
/* Purchases without contract: BG/NBD for how often and whether still, gamma-gamma for how much.
 * Buyers that cannot be, and data that determine nothing, are refused. */
#include <math.h>

#include "server/math/special.h"
#include "server/measure/clv_fit.h"

/* Well below a millisecond of likelihoods. */
enum { BUYERS_PER_ASKING = 4096 };

struct buyers {
    const struct measure_buyer *items;
    size_t count;
    const struct measure_pace *pace;
    struct proto_fault why; /* of who gave up; then every likelihood is nothing, at once */
};

static bool goes_on(struct buyers *buyers, size_t at)
{
    return buyers->why.code == PROTO_OK &&
           (at % BUYERS_PER_ASKING != 0 || measure_goes_on(buyers->pace, &buyers->why));
}

/* The fit, or why who asked gave up. */
static bool fit_run(math_function function, struct buyers *buyers, const double *start,
                    size_t count, size_t n, struct measure_fit *fit, struct proto_fault *fault)
{
    bool good = measure_fit_run(function, buyers, start, count, n, fit, fault);
    if (buyers->why.code != PROTO_OK) {
        *fault = buyers->why;
    }
    return good && buyers->why.code == PROTO_OK;
}

static double minus_log_bgnbd(const double *x, void *context)
{
    struct buyers *buyers = context;
    double r = exp(x[0]);
    double alpha = exp(x[1]);
    double a = exp(x[2]);
    double b = exp(x[3]);
    double all = math_lgamma(a + b) - math_lgamma(b) - math_lgamma(r) + r * log(alpha);
    double sum = 0;
    for (size_t i = 0; i < buyers->count; i++) {
        const struct measure_buyer *buyer = &buyers->items[i];
        if (!goes_on(buyers, i)) {
            return (double)INFINITY;
        }
        double n = buyer->repeats;
        double gamma = math_lgamma(r + n) + math_lgamma(b + n) - math_lgamma(a + b + n) + all;
        double alive = -(r + n) * log(alpha + buyer->watched);
        double likely = alive;
        if (buyer->repeats > 0) {
            double gone = log(a) - log(b + n - 1) - (r + n) * log(alpha + buyer->last);
            double more = alive > gone ? alive : gone;
            likely = more + log(exp(alive - more) + exp(gone - more));
        }
        sum += gamma + likely;
    }
    return -sum;
}

bool measure_bgnbd_fit(const struct measure_buyer *buyers, size_t count,
                       const struct measure_pace *pace, struct measure_fit *fit,
                       struct proto_fault *fault)
{
    double time = 0;
    double repeats = 0;
    for (size_t i = 0; i < count; i++) {
        bool good = buyers[i].last >= 0 && buyers[i].last <= buyers[i].watched &&
                    isfinite(buyers[i].watched) && (buyers[i].repeats > 0 || buyers[i].last == 0);
        if (!good) {
            return proto_fault_set(fault, PROTO_BAD_FIELD, "buyers",
                                   "buyer %zu: the last purchase lies outside of the time watched",
                                   i);
        }
        time += buyers[i].watched;
        repeats += buyers[i].repeats;
    }
    if (count < 2 || repeats == 0) {
        return proto_fault_set(fault, PROTO_NO_EVIDENCE, "buyers",
                               "%zu buyers with %.0f repeat purchases determine nothing", count,
                               repeats);
    }
    /* One purchase in the mean time between two, so that any unit of time starts as well. */
    const double start[4] = {0, log(time / repeats), 0, 1};
    struct buyers context = {.items = buyers, .count = count, .pace = pace};
    return fit_run(minus_log_bgnbd, &context, start, 4, count, fit, fault);
}

/* Odds of having left at the last purchase. */
static double odds_gone(const struct measure_fit *fit, const struct measure_buyer *buyer)
{
    double r = fit->value[0];
    double alpha = fit->value[1];
    double n = buyer->repeats;
    if (buyer->repeats == 0) {
        return 0;
    }
    return fit->value[2] / (fit->value[3] + n - 1) *
           exp((r + n) * log((alpha + buyer->watched) / (alpha + buyer->last)));
}

double measure_bgnbd_alive(const struct measure_fit *fit, const struct measure_buyer *buyer)
{
    return 1 / (1 + odds_gone(fit, buyer));
}

double measure_bgnbd_expected(const struct measure_fit *fit, const struct measure_buyer *buyer,
                              double time)
{
    double r = fit->value[0];
    double a = fit->value[2];
    double b = fit->value[3];
    double n = buyer->repeats;
    double then = fit->value[1] + buyer->watched;
    double bent = math_hyp2f1(r + n, b + n, a + b + n - 1, time / (then + time));
    double shrunk = exp((r + n) * log(then / (then + time)));
    return (a + b + n - 1) / (a - 1) * (1 - shrunk * bent) / (1 + odds_gone(fit, buyer));
}

static bool has_value(const struct measure_buyer *buyer)
{
    return buyer->repeats > 0 && buyer->mean_value > 0;
}

static double minus_log_gamma(const double *x, void *context)
{
    struct buyers *buyers = context;
    double p = exp(x[0]);
    double q = exp(x[1]);
    double gamma = exp(x[2]);
    double all = q * x[2] - math_lgamma(q);
    double sum = 0;
    for (size_t i = 0; i < buyers->count; i++) {
        const struct measure_buyer *buyer = &buyers->items[i];
        if (!goes_on(buyers, i)) {
            return (double)INFINITY;
        }
        if (has_value(buyer)) {
            double n = buyer->repeats;
            double m = buyer->mean_value;
            sum += all + math_lgamma(p * n + q) - math_lgamma(p * n) + (p * n - 1) * log(m) +
                   p * n * log(n) - (p * n + q) * log(gamma + m * n);
        }
    }
    return -sum;
}

bool measure_gamma_fit(const struct measure_buyer *buyers, size_t count,
                       const struct measure_pace *pace, struct measure_fit *fit,
                       struct proto_fault *fault)
{
    size_t with_value = 0;
    double values = 0;
    for (size_t i = 0; i < count; i++) {
        with_value += has_value(&buyers[i]);
        values += has_value(&buyers[i]) ? buyers[i].mean_value : 0;
    }
    if (with_value < 2) {
        return proto_fault_set(fault, PROTO_NO_EVIDENCE, "buyers",
                               "%zu buyers have a repeat purchase of some value; two are needed",
                               with_value);
    }
    const double start[3] = {1, 1, log(values / (double)with_value)};
    struct buyers context = {.items = buyers, .count = count, .pace = pace};
    return fit_run(minus_log_gamma, &context, start, 3, with_value, fit, fault);
}

double measure_gamma_value(const struct measure_fit *fit, const struct measure_buyer *buyer)
{
    double p = fit->value[0];
    double n = has_value(buyer) ? buyer->repeats : 0;
    double paid = n > 0 ? n * buyer->mean_value : 0;
    return p * (fit->value[2] + paid) / (p * n + fit->value[1] - 1);
}

double measure_value_correlation(const struct measure_buyer *buyers, size_t count)
{
    double n = 0;
    double x = 0;
    double m = 0;
    double xx = 0;
    double mm = 0;
    double xm = 0;
    for (size_t i = 0; i < count; i++) {
        if (has_value(&buyers[i])) {
            n++;
            x += buyers[i].repeats;
            m += buyers[i].mean_value;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (has_value(&buyers[i])) {
            double dx = buyers[i].repeats - x / n;
            double dm = buyers[i].mean_value - m / n;
            xx += dx * dx;
            mm += dm * dm;
            xm += dx * dm;
        }
    }
    return xx > 0 && mm > 0 ? xm / sqrt(xx * mm) : MEASURE_NAN;
}
