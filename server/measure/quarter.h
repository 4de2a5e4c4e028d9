/* SPDX-License-Identifier: Apache-2.0 */
/* The quarter-end trap: whether deals that close in a quarter's last days are won more often, at
 * what discount, and how many of their accounts left later; and, beside it, the same deals by the
 * quarter of their creation, counted when they are mature. A share by day of closing drifts by
 * itself, for what is lost closes sooner than what is won; a share by cohort does not.
 *
 *   last      deals closed at most `days` days before the last day of a quarter
 *   before    the other ones that closed; difference: last − before
 *   week      of the quarter: days 1 to 7 are week 1; week 14 has a day or two
 *   cohort    created in a quarter, `mature` days ago or longer; won: within those days after the
 *             creation, so that old and young cohorts are watched alike. Younger ones are immature
 *   discount  1 − Σ amount / Σ list price, over won deals that have both
 *   churn     share of won deals whose account left within churn_days, of those won so long ago
 *
 * Intervals at 95 %: Wilson; of a difference of rates Newcombe's, method 10; of discounts the ratio
 * estimator over deals. Assumption: deals are independent of each other.
 *
 * Shapes: times in ms, UTC; amounts in minor units. Ownership: measure_deals_fini frees. Errors:
 * NO_EVIDENCE for fewer closed deals than `least`, NO_MEMORY. Threads: pure. Cost: some 50 ns a
 * deal. Memory: 56 bytes a deal. Source: Wilson 1927; Newcombe 1998; Cochran 1977;
 * docs/methods/quarter-end.md. */
#ifndef MEASURE_QUARTER_H
#define MEASURE_QUARTER_H

#include "server/measure/journey.h"
#include "server/measure/measure.h"

enum measure_left { MEASURE_LEFT_UNKNOWN, MEASURE_LEFT_NOT, MEASURE_LEFT };

struct measure_deal {
    int64_t created_ms;
    int64_t end_ms;      /* of one that has ended */
    double amount, list; /* of a won one; NAN: not told */
    enum measure_journey_end end;
    enum measure_left left; /* of a won one: its account, within churn_days */
};

struct measure_deals {
    struct measure_deal *items;
    size_t count, room;
};
bool measure_deals_add(struct measure_deals *deals, const struct measure_deal *deal,
                       struct proto_fault *fault);
void measure_deals_fini(struct measure_deals *deals);

struct measure_quarter_options {
    int64_t from_ms, to_ms; /* of closing, and of creation for cohorts; the latter exclusive */
    int64_t as_of_ms;
    int64_t mature_ms;
    unsigned days;
    unsigned first_month; /* 1 to 12 */
    unsigned least;
};

/* Number of the quarter that a moment is in, from that of January 1970 as 0, and the first moment
 * of one. */
int64_t measure_quarter_of(int64_t at_ms, unsigned first_month);
int64_t measure_quarter_start(int64_t quarter, unsigned first_month);
/* Newcombe's interval of a/n − b/m at 95 %; NAN where n or m is 0. */
void measure_difference(size_t a, size_t n, size_t b, size_t m, double ends[2]);

bool measure_quarter_table(const struct measure_deals *deals,
                           const struct measure_quarter_options *options,
                           struct measure_table *table, struct proto_fault *fault);

#endif
