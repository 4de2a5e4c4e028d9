/* SPDX-License-Identifier: Apache-2.0 */
/* An alarm for a share that falls below what was committed: of N pieces of work in a week x went to
 * the list, where a share of p0 was promised.
 *
 *     e_n = mean over d in {.05, .1, .2} of Bin(x; N, p0 - d) / Bin(x; N, p0)
 *     R_n = (1 + R_(n-1)) e_n,  R_0 = 0;  alarm where R_n >= A, after which it begins anew
 *
 * While the share is p0 or more the mean of e_n, given the weeks before, is 1 at most, so the mean
 * number of weeks until a false alarm is A at least, whatever N is from week to week (R_n - n is a
 * supermartingale). Of the falls d those count that leave a share above 0; where none does, one to
 * p0 / 2.
 *
 * Assumes: within a week pieces of work go to the list independently of one another; work that
 * comes in lots (one campaign, 500 mails) is one piece. Ownership: values. Errors: none; weeks
 * without work change nothing. Threads: pure. Cost: three logarithms a week. Source: Shiryaev 1963,
 * Roberts 1966; Shin, Ramdas and Rinaldo 2022 (e-detectors). */
#ifndef TERM_TERM_EROSION_H
#define TERM_TERM_EROSION_H

#include <stdbool.h>
#include <stdint.h>

struct term_erosion {
    double committed; /* p0, above 0 and below 1 */
    double log_limit; /* ln A */
    double log_r;     /* ln R of the newest week; minus infinity: 0 */
    uint64_t weeks;   /* with work */
    uint64_t alarms;
};

/* 0 < committed < 1, limit >= 1: mean weeks between false alarms. */
void term_erosion_begin(struct term_erosion *erosion, double committed, double limit);
/* Takes a week of `all` pieces of which `on` went to the list; whether it is an alarm. *log_r (may
 * be NULL) is ln R of the week, also where it begins anew behind it. */
bool term_erosion_add(struct term_erosion *erosion, uint64_t on, uint64_t all, double *log_r);
/* ln e of one week. */
double term_erosion_log_e(double committed, uint64_t on, uint64_t all);

#endif
