/* SPDX-License-Identifier: Apache-2.0 */
/* Lifetime value as tables of measure.def: clv-sbg and clv-purchases; and purchases as buyers.
 * Ownership: the table is filled, the caller frees it, also after a failure; buyers are the
 * caller's, free(). Errors: those of clv.h, BAD_FIELD, NO_MEMORY. Threads: pure. Source: clv.h. */
#ifndef MEASURE_MEASURE_CLV_H
#define MEASURE_MEASURE_CLV_H

#include "server/measure/clv.h"
#include "server/measure/measure.h"

/* Both models over the same counts: parameters, log-likelihood, survival and retention at 1 …
 * told, residual values per unit of margin after the first and after the last period. */
bool measure_clv_contract_table(const uint32_t *lost, size_t periods, uint32_t customers,
                                double discount, unsigned told, struct measure_table *table,
                                struct proto_fault *fault);

struct measure_purchase {
    uint32_t account;
    int64_t at_ms;
    int64_t minor;
};

struct measure_watch {
    int64_t until_ms;  /* up to which purchases are known */
    int64_t unit_ms;   /* of time */
    double money_unit; /* minor units of one */
};
/* Purchases as *count buyers in the order of accounts, values in units of money; those of one day
 * (UTC) are one. Sorts the purchases. NULL with *fault. */
struct measure_buyer *measure_buyers_make(struct measure_purchase *purchases, size_t purchase_count,
                                          const struct measure_watch *watch, size_t *count,
                                          struct proto_fault *fault);

struct measure_purchase_options {
    unsigned horizon; /* units of time to look ahead */
    double discount;  /* for one unit */
    double margin;
    const struct measure_pace *pace; /* NULL: always */
};
bool measure_clv_purchases_table(const struct measure_buyer *buyers, size_t count,
                                 const struct measure_purchase_options *options,
                                 struct measure_table *table, struct proto_fault *fault);

#endif
