/* SPDX-License-Identifier: Apache-2.0 */
/* What each deal that was won counts for whoever won it: its amount times a rate and the multiplier
 * of the grade that its account had when the deal was created, so that nobody is paid for a grade
 * that came with the deal, nor loses by one that fell since.
 *
 *   credit = amount · rate · multiplier, in whole minor units, halves away from 0
 *
 * Every sum is the sum of the credits that are told: what people see adds up. Arithmetic is in
 * integers: rates in millionths, multipliers in hundredths.
 *
 * Shapes: amounts 0 ≤ a ≤ MEASURE_SUM_MAX in all. Ownership: deals borrow their texts; the table is
 * filled. Errors: BAD_FIELD for multipliers that cannot be read, NO_EVIDENCE where no deal was won,
 * NO_MEMORY. Threads: pure. Cost: a sort of the deals. Source: docs/methods/compensation.md. */
#ifndef MEASURE_COMPENSATION_H
#define MEASURE_COMPENSATION_H

#include "proto/span.h"
#include "server/measure/measure.h"
#include "server/measure/spell.h"

enum { MEASURE_PAID_GRADES = 5, MEASURE_PAID_NONE = 4 }; /* A … D, none */
#define MEASURE_MULTIPLIER_MAX 500                       /* hundredths */

/* Of "A=1.2,B=1,C=0.8,D=0.5,none=1" in hundredths: each of A to D once, none is 1 if left out. */
bool measure_multipliers_read(struct proto_span text, int64_t multipliers[MEASURE_PAID_GRADES],
                              struct proto_fault *fault);
/* rate in millionths, at most 10^6; amount ≥ 0. */
int64_t measure_credit(int64_t amount, int64_t rate, int64_t multiplier);

struct measure_paid_deal {
    char *account, *subject, *person; /* subject "": of the account */
    char *reason, *dispute;           /* why that grade; how to dispute it */
    int64_t created_ms, won_ms, amount;
    uint8_t grade; /* 0 A … 3 D, MEASURE_PAID_NONE */
    double fit;    /* NAN for none */
};

struct measure_paid_deals {
    struct measure_paid_deal *items; /* own their texts */
    size_t count, room;
};
/* Copies the texts. */
bool measure_paid_deals_add(struct measure_paid_deals *deals, const struct measure_paid_deal *deal,
                            struct proto_fault *fault);
void measure_paid_deals_fini(struct measure_paid_deals *deals);

struct measure_compensation_options {
    int64_t multipliers[MEASURE_PAID_GRADES];
    double rate;   /* share of the amount */
    unsigned skip; /* deals to leave out before the first that is told */
    unsigned top;  /* deals to tell; sums are of all */
};
/* All together, persons by name, then deals by person and day. Sorts the deals. */
bool measure_compensation_table(struct measure_paid_deals *deals,
                                const struct measure_compensation_options *options,
                                struct measure_table *table, struct proto_fault *fault);

#endif
