/* SPDX-License-Identifier: Apache-2.0 */
/* ln E is lowest at the share itself and grows on either side: its crossings are found by halving.
 */
#include "server/term/term_rate.h"

#include <math.h>

#include "server/math/special.h"

enum { HALVINGS = 100 };

double term_rate_log_e(uint64_t s, uint64_t n, double p, double alpha, double best_at)
{
    double spread = p * (1 - p);
    double log_one = -2 * log(alpha);
    double rho = spread * best_at / (log_one + log(1 + log_one));
    double r = fmax(rho - spread, spread / 1000);
    double won = (double)s;
    double lost = (double)(n - s);
    return math_lbeta(r / (1 - p) + won, r / p + lost) - math_lbeta(r / (1 - p), r / p) -
           won * log(p) - lost * log1p(-p);
}

static double cross_find(uint64_t s, uint64_t n, double alpha, double best_at, double without)
{
    double within = (double)s / (double)n;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (within + without) / 2;
        if (term_rate_log_e(s, n, middle, alpha, best_at) < -log(alpha)) {
            within = middle;
        } else {
            without = middle;
        }
    }
    return within;
}

void term_rate_interval(uint64_t s, uint64_t n, double alpha, double best_at, double *low,
                        double *high)
{
    *low = 0;
    *high = 1;
    if (n > 0 && s > 0) {
        *low = cross_find(s, n, alpha, best_at, 0);
    }
    if (n > 0 && s < n) {
        *high = cross_find(s, n, alpha, best_at, 1);
    }
}
