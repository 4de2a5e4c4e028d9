/* SPDX-License-Identifier: Apache-2.0 */
/* What is really paid: the price of one unit, which package was taken, and the discount against
 * list prices, for all sales and by segment.
 *
 *   price     median of amount / units over the sales of a row
 *   share     sales of the package over those of its segment
 *   discount  1 − Σ amount / Σ (list price · units), over sales whose label has a list price
 *
 * Intervals at 95 %: the median by order statistics (binomial, normal approximation, so none for
 * fewer than eight), shares by Wilson, discounts by the ratio estimator. Assumption: sales are
 * independent of each other.
 *
 * Shapes: amounts and list prices in minor units, units > 0; segment and package are numbers of
 * names. Ownership: measure_sales_fini frees; names are borrowed. Errors: NO_EVIDENCE for fewer
 * sales than `least`, NO_MEMORY. Threads: pure. Cost: a sort of the sales. Memory: 40 bytes a sale.
 * Source: Cochran 1977; docs/methods/price.md. */
#ifndef MEASURE_PRICE_H
#define MEASURE_PRICE_H

#include "server/measure/measure.h"
#include "server/measure/spell.h"

struct measure_sale {
    uint32_t segment, package;
    double amount;
    double units;
    double list; /* of one unit; NAN: the list does not have it */
};

struct measure_sales {
    struct measure_sale *items;
    size_t count, room;
};
bool measure_sales_add(struct measure_sales *sales, const struct measure_sale *sale,
                       struct proto_fault *fault);
void measure_sales_fini(struct measure_sales *sales);

struct measure_price_options {
    double minor; /* minor units of one of the currency: 100 of USD */
    unsigned least;
    bool segments;                   /* they are told apart */
    const struct measure_pace *pace; /* asked between pieces of a sort; NULL: always */
};
/* All sales and their packages, then each segment and its packages, in the order in which they
 * first came. Sorts the sales. */
bool measure_price_table(struct measure_sales *sales, const char *const *segments,
                         const char *const *packages, const struct measure_price_options *options,
                         struct measure_table *table, struct proto_fault *fault);

#endif
