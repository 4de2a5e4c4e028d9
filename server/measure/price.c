/* SPDX-License-Identifier: Apache-2.0 */
/* Sales are sorted by what a row is of, and each run of them becomes one. Too few of them and
 * memory can end it. */
#include "server/measure/price.h"

#include <math.h>
#include <stdlib.h>

#include "server/base/grow.h"
#include "server/math/accuracy.h"
#include "server/math/auc.h"
#include "server/math/order.h"
#include "server/measure/long_sort.h"
#include "server/measure/ratio.h"

bool measure_sales_add(struct measure_sales *sales, const struct measure_sale *sale,
                       struct proto_fault *fault)
{
    if (!base_grow(&sales->items, &sales->room, sales->count + 1, sizeof *sales->items, "deals",
                   fault)) {
        return false;
    }
    sales->items[sales->count++] = *sale;
    return true;
}

void measure_sales_fini(struct measure_sales *sales)
{
    free(sales->items);
    *sales = (struct measure_sales){.count = 0};
}

static int by_package(const void *left, const void *right)
{
    const struct measure_sale *a = left;
    const struct measure_sale *b = right;
    return (a->package > b->package) - (a->package < b->package);
}

static int by_segment(const void *left, const void *right)
{
    const struct measure_sale *a = left;
    const struct measure_sale *b = right;
    int segment = (a->segment > b->segment) - (a->segment < b->segment);
    return segment != 0 ? segment : by_package(left, right);
}

struct pricing {
    const struct measure_price_options *options;
    struct measure_table *table;
    double *prices; /* room for all sales */
};

static void median_add(const struct pricing *pricing, size_t count)
{
    double median[3];
    qsort(pricing->prices, count, sizeof *pricing->prices, math_ascending);
    math_median(pricing->prices, count, median);
    for (int i = 0; i < 3; i++) {
        measure_add_number(pricing->table, median[i] / pricing->options->minor);
    }
}

/* `of`: sales of the segment. */
static void row_add(const struct pricing *pricing, const char *segment, const char *package,
                    const struct measure_sale *sales, size_t count, size_t of)
{
    struct measure_table *table = pricing->table;
    struct measure_sums paid = {.n = 0};
    double amount = 0;
    double low = MEASURE_NAN;
    double high = MEASURE_NAN;
    double error = MEASURE_NAN;
    bool one_list = true;
    for (size_t i = 0; i < count; i++) {
        amount += sales[i].amount;
        pricing->prices[i] = sales[i].amount / sales[i].units;
        if (isfinite(sales[i].list)) {
            measure_sums_add(&paid, sales[i].amount, sales[i].list * sales[i].units);
        }
        one_list = one_list && isfinite(sales[i].list) && sales[i].list == sales[0].list;
    }
    if (count < of) { /* of all of them it is no estimate */
        math_wilson(count, of, &low, &high);
    }
    measure_add_text(table, segment);
    measure_add_text(table, package);
    measure_add_whole(table, (int64_t)count);
    measure_add_number(table, (double)count / (double)of);
    measure_add_number(table, low);
    measure_add_number(table, high);
    measure_add_whole(table, (int64_t)llround(amount));
    median_add(pricing, count);
    measure_add_number(table, one_list ? sales[0].list / pricing->options->minor : MEASURE_NAN);
    double discount = 1 - measure_sums_ratio(&paid, &error);
    measure_add_number(table, discount);
    measure_add_number(table, discount - MATH_Z_95 * error);
    measure_add_number(table, discount + MATH_Z_95 * error);
    measure_add_whole(table, (int64_t)paid.n);
}

/* A row of all, then one for each package; the sales are in the order of those. */
static void packages_add(const struct pricing *pricing, const char *segment,
                         const char *const *packages, const struct measure_sale *sales,
                         size_t count)
{
    row_add(pricing, segment, "all", sales, count, count);
    for (size_t i = 0; i < count;) {
        size_t first = i;
        while (i < count && sales[i].package == sales[first].package) {
            i++;
        }
        row_add(pricing, segment, packages[sales[first].package], &sales[first], i - first, count);
    }
}

bool measure_price_table(struct measure_sales *sales, const char *const *segments,
                         const char *const *packages, const struct measure_price_options *options,
                         struct measure_table *table, struct proto_fault *fault)
{
    struct pricing pricing = {.options = options, .table = table};
    measure_table_init(table, MEASURE_ID_PRICE);
    if (sales->count < options->least || sales->count == 0) {
        return proto_fault_set(fault, PROTO_NO_EVIDENCE, "",
                               "insufficient: %zu deals have an amount, %u are needed",
                               sales->count, options->least);
    }
    pricing.prices = calloc(sales->count, sizeof *pricing.prices);
    if (pricing.prices == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu deals", sales->count);
    }
    bool good = measure_sort(sales->items, sales->count, sizeof *sales->items, by_package,
                             options->pace, fault);
    if (good) {
        packages_add(&pricing, "all", packages, sales->items, sales->count);
    }
    if (good && options->segments) {
        good = measure_sort(sales->items, sales->count, sizeof *sales->items, by_segment,
                            options->pace, fault);
    }
    for (size_t i = 0; i < sales->count && options->segments && good;) {
        size_t first = i;
        while (i < sales->count && sales->items[i].segment == sales->items[first].segment) {
            i++;
        }
        packages_add(&pricing, segments[sales->items[first].segment], packages,
                     &sales->items[first], i - first);
    }
    free(pricing.prices);
    return good && (measure_table_good(table) ||
                    proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table"));
}
