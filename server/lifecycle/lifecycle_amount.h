/* SPDX-License-Identifier: Apache-2.0 */
/* Amounts of single events in the currency of an answer. Where no currency is named and no rate,
 * that of the first amount is the currency; several are refused. All that are settled together are
 * at most MEASURE_SUM_MAX, so no sum of them overflows.
 *
 * Ownership: borrows the rules. Errors: BAD_FIELD at amount, currency or rules.currency, LIMIT at
 * amount. Threads: one. */
#ifndef LIFECYCLE_LIFECYCLE_AMOUNT_H
#define LIFECYCLE_LIFECYCLE_AMOUNT_H

#include "server/event/event.h"
#include "server/measure/measure_rules.h"

struct lifecycle_amount {
    struct measure_rules *rules;
    char currency[MEASURE_CURRENCY_BYTES]; /* of the first amount */
    int64_t sum;                           /* of all that were settled */
};

/* Minor units; 0 for an event without an amount. */
bool lifecycle_amount_settle(struct lifecycle_amount *amount, const struct event *event,
                             int64_t *minor, struct proto_fault *fault);
/* Whether an amount of that currency can stand beside those before; false with BAD_FIELD. */
bool lifecycle_amount_fits(struct lifecycle_amount *amount,
                           const char currency[MEASURE_CURRENCY_BYTES], struct proto_fault *fault);
/* Leaves the currency that was found in the rules. */
void lifecycle_amount_end(struct lifecycle_amount *amount);

#endif
