/* SPDX-License-Identifier: Apache-2.0 */
/* Whether accounts on a list win more often than those off it at equal effort, looked at whenever
 * anybody likes. A block is the accounts that were created in one week and got the same effort (or
 * belong to one owner group or segment); within a block, given how many won, the number won on the
 * list is Fisher's noncentral hypergeometric in the odds ratio w:
 *
 *     P_w(k) = C(on, k) C(off, won - k) w^k / sum over j of the same
 *     E(w0)  = sum over i of 1/60 * product over blocks of P_wi(k) / P_w0(k)
 *
 * with 60 odds ratios whose logarithms are the midpoints of equal shares of a half normal of
 * deviation 1, above 1, below 1, or both. E is a test martingale: whatever the effect is not, the
 * chance that it ever reaches 1/alpha is alpha at most (Ville), so looking each week costs nothing.
 * The interval is every w0 whose two-sided E is below 1/alpha.
 *
 * Assumes: accounts won independently of one another given their block, and nothing but effort sets
 * the two sides of a block apart; where something does, a stratum must be made of it or a random
 * hold-out taken. Matured accounts alone belong into a block. Ownership: values. Errors: none;
 * blocks of which nothing can be learned (all or none won, one side empty) leave E as it is.
 * Threads: pure. Cost: 120 * min(on, won) exponentials a block. Source: Mantel and Haenszel 1959;
 * Fisher 1935; Howard, Ramdas, McAuliffe and Sekhon 2021. */
#ifndef TERM_TERM_LIFT_H
#define TERM_TERM_LIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TERM_LIFT_POINTS = 60 };

struct term_block {
    uint32_t on, off; /* accounts on the list and off it */
    uint32_t won;     /* of both */
    uint32_t won_on;  /* of those on it; within what the others allow */
};

enum term_side { TERM_MORE, TERM_LESS, TERM_EITHER };

/* Ready for blocks, one after another. */
struct term_lift {
    double points[TERM_LIFT_POINTS]; /* logarithms of odds ratios above 1 */
    double more[TERM_LIFT_POINTS], less[TERM_LIFT_POINTS], null;
};
void term_lift_begin(struct term_lift *lift);
void term_lift_add(struct term_lift *lift, const struct term_block *block);
/* ln E against an odds ratio of 1. */
double term_lift_log_e(const struct term_lift *lift, enum term_side side);

/* Whether anything can be learned of the block: more than one number on the list is possible. */
bool term_block_tells(const struct term_block *block);
/* ln P of what a block shows, by the logarithm of the odds ratio. */
double term_block_log_p(const struct term_block *block, double log_ratio);

/* Odds ratios; NAN where no block tells, infinite where nobody was won off the list. */
double term_lift_conditional(const struct term_block *blocks, size_t count);
double term_lift_mantel(const struct term_block *blocks, size_t count);
/* Holds at all times with 1 - alpha; open ends are 0 and infinity. */
void term_lift_interval(const struct term_block *blocks, size_t count, double alpha, double *low,
                        double *high);

/* The stated rule: supported where the E for more reaches 1 / (0.8 alpha), refuted where the E for
 * less reaches 1 / (0.2 alpha). So a list without effect is ever judged, either way, with a chance
 * of alpha at most, and most of it is spent on the question that the list was made for. */
#define TERM_SUPPORTED_SHARE 0.8
enum term_verdict { TERM_INSUFFICIENT, TERM_SUPPORTED, TERM_REFUTED };
enum term_verdict term_lift_verdict(const struct term_lift *lift, double alpha);
const char *term_verdict_word(enum term_verdict verdict);

#endif
