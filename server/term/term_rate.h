/* SPDX-License-Identifier: Apache-2.0 */
/* A rate with an interval that holds at all times at once, however often it is looked at.
 *
 *     rho = p(1-p) t / (2 ln(1/a) + ln(1 + 2 ln(1/a)))     r = max(rho - p(1-p), p(1-p)/1000)
 *     ln E(p) = ln B(r/(1-p) + s, r/p + n - s) - ln B(r/(1-p), r/p) - s ln p - (n-s) ln(1-p)
 *
 * for s of n, where the interval is narrowest around t observations. It is every p with ln E(p)
 * below ln(1/a). Assumes each observation has the same chance given those before, or that the mean
 * of the chances is asked for. Ownership: values. Errors: none; of no observations it is 0 to 1.
 * Threads: pure. Cost: some 200 evaluations. Source: Howard, Ramdas, McAuliffe and Sekhon 2021,
 * beta-binomial mixture. */
#ifndef TERM_TERM_RATE_H
#define TERM_TERM_RATE_H

#include <stdint.h>

/* s <= n, 0 < alpha < 1, best_at > 0 */
double term_rate_log_e(uint64_t s, uint64_t n, double p, double alpha, double best_at);
void term_rate_interval(uint64_t s, uint64_t n, double alpha, double best_at, double *low,
                        double *high);

#endif
