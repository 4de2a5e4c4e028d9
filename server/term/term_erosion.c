/* SPDX-License-Identifier: Apache-2.0 */
/* In logarithms throughout: R reaches 1e300 within a bad quarter. */
#include "server/term/term_erosion.h"

#include <math.h>
#include <stddef.h>

static const double falls[] = {.05, .1, .2};
enum { FALLS = sizeof falls / sizeof *falls };

/* ln(e^a + e^b) */
static double log_sum(double a, double b)
{
    double high = a > b ? a : b;
    double low = a > b ? b : a;
    return low == -(double)INFINITY ? high : high + log1p(exp(low - high));
}

static double log_ratio(double committed, double fallen, uint64_t on, uint64_t all)
{
    double off = (double)(all - on);
    return (double)on * log(fallen / committed) + off * log((1 - fallen) / (1 - committed));
}

double term_erosion_log_e(double committed, uint64_t on, uint64_t all)
{
    double sum = -(double)INFINITY;
    int count = 0;
    for (int i = 0; i < FALLS; i++) {
        /* A hair above nothing is nothing: .2 - .2 is to count as none. */
        if (committed - falls[i] > 1e-9) {
            sum = log_sum(sum, log_ratio(committed, committed - falls[i], on, all));
            count++;
        }
    }
    return count > 0 ? sum - log((double)count) : log_ratio(committed, committed / 2, on, all);
}

void term_erosion_begin(struct term_erosion *erosion, double committed, double limit)
{
    *erosion = (struct term_erosion){
        .committed = committed, .log_limit = log(limit), .log_r = -(double)INFINITY};
}

bool term_erosion_add(struct term_erosion *erosion, uint64_t on, uint64_t all, double *log_r)
{
    bool alarm = false;
    if (all > 0) {
        erosion->log_r =
            log_sum(0, erosion->log_r) + term_erosion_log_e(erosion->committed, on, all);
        erosion->weeks++;
        alarm = erosion->log_r >= erosion->log_limit;
    }
    if (log_r != NULL) {
        *log_r = erosion->log_r;
    }
    if (alarm) {
        erosion->alarms++;
        erosion->log_r = -(double)INFINITY;
    }
    return alarm;
}
