/* SPDX-License-Identifier: Apache-2.0 */
/* List prices of products or plans, as they are given to a measure: a JSON object of names and
 * numbers, in whole units of the currency, each for one unit of quantity (of subscriptions a
 * month). Systems write the same name in several ways, so letters are compared without their case,
 * and blanks, '-' and '_' are passed over: "GTX Pro" is "GTXPro". Two names that are one by that
 * are refused.
 *
 * Ownership: measure_prices_fini frees, also after a failure. Errors: BAD_FIELD at
 * "parameters.list" with what is wanted, LIMIT, NO_MEMORY. Threads: pure. Cost: a search by halves.
 */
#ifndef MEASURE_PRICE_LIST_H
#define MEASURE_PRICE_LIST_H

#include "proto/fault.h"
#include "proto/span.h"

#include <stddef.h>

#define MEASURE_PRICES_MAX 10000

struct measure_price_row {
    char *name; /* folded */
    double price;
};
struct measure_prices {
    struct measure_price_row *rows; /* by name */
    size_t count;
};

/* "none" is a list without prices. */
bool measure_prices_read(struct proto_span text, struct measure_prices *prices,
                         struct proto_fault *fault);
void measure_prices_fini(struct measure_prices *prices);
/* NAN: the list does not have it. */
double measure_prices_find(const struct measure_prices *prices, struct proto_span name);

#endif
