/* SPDX-License-Identifier: Apache-2.0 */
/* Fits and what follows from them, figure by figure. Where gamma-gamma has nothing to go by, its
 * rows are not there; where BG/NBD has not, the table fails. */
#include "server/measure/measure_clv.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* Each some microseconds: one look ahead, and a period of one. */
enum { BUYERS_PER_ASKING = 1024, PERIODS_PER_ASKING = 1024 };

static void figure(struct measure_table *table, const char *model, const char *name, double value,
                   double low, double high, size_t n)
{
    measure_add_text(table, model);
    measure_add_text(table, name);
    measure_add_number(table, value);
    measure_add_number(table, low);
    measure_add_number(table, high);
    measure_add_whole(table, (int64_t)n);
}

static void plain_figure(struct measure_table *table, const char *model, const char *name,
                         double value, size_t n)
{
    figure(table, model, name, value, MEASURE_NAN, MEASURE_NAN, n);
}

static void parameters(struct measure_table *table, const char *model, const char *const *names,
                       const struct measure_fit *fit)
{
    assert(fit->count <= MEASURE_FIT_PARAMETERS);
    for (size_t i = 0; i < fit->count; i++) {
        figure(table, model, names[i], fit->value[i], fit->low[i], fit->high[i], fit->n);
    }
    plain_figure(table, model, "log-likelihood", fit->log_likelihood, fit->n);
}

static bool table_end(struct measure_table *table, struct proto_fault *fault)
{
    return measure_table_good(table) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table");
}

static void contract_rows(struct measure_table *table, const char *model,
                          const struct measure_fit *fit, size_t periods, double discount,
                          unsigned told)
{
    static const char *const names[MEASURE_FIT_PARAMETERS] = {"alpha", "beta", "c"};
    char name[64];
    parameters(table, model, names, fit);
    for (unsigned t = 1; t <= told; t++) {
        snprintf(name, sizeof name, "survival %u", t);
        plain_figure(table, model, name, measure_contract_survival(fit, t), fit->n);
        snprintf(name, sizeof name, "retention %u", t);
        plain_figure(table, model, name, measure_contract_retention(fit, t), fit->n);
    }
    plain_figure(table, model, "residual 1", measure_contract_residual(fit, discount, 1), fit->n);
    snprintf(name, sizeof name, "residual %zu", periods + 1);
    plain_figure(table, model, name,
                 measure_contract_residual(fit, discount, (unsigned)periods + 1), fit->n);
}

bool measure_clv_contract_table(const uint32_t *lost, size_t periods, uint32_t customers,
                                double discount, unsigned told, struct measure_table *table,
                                struct proto_fault *fault)
{
    struct measure_fit fit = {.count = 0};
    struct proto_fault bent = {.code = PROTO_OK};
    measure_table_init(table, MEASURE_ID_CLV_SBG);
    if (!measure_sbg_fit(lost, periods, customers, &fit, fault)) {
        return false;
    }
    contract_rows(table, "sbg", &fit, periods, discount, told);
    /* Three parameters are often more than the data determine; then there is one model. */
    if (measure_bdw_fit(lost, periods, customers, &fit, &bent)) {
        contract_rows(table, "bdw", &fit, periods, discount, told);
    } else if (bent.code != PROTO_NO_EVIDENCE) {
        *fault = bent;
        return false;
    }
    return table_end(table, fault);
}

static int by_account_and_time(const void *left, const void *right)
{
    const struct measure_purchase *a = left;
    const struct measure_purchase *b = right;
    if (a->account != b->account) {
        return a->account < b->account ? -1 : 1;
    }
    return (int)(a->at_ms > b->at_ms) - (int)(a->at_ms < b->at_ms);
}

static int64_t day_of(int64_t at_ms)
{
    return at_ms / MEASURE_DAY_MS - (at_ms % MEASURE_DAY_MS < 0);
}

/* One account's purchases, in order of time. */
static struct measure_buyer buyer_of(const struct measure_purchase *purchases, size_t count,
                                     const struct measure_watch *watch)
{
    double unit_ms = (double)watch->unit_ms;
    int64_t first = day_of(purchases[0].at_ms);
    int64_t last = first;
    struct measure_buyer buyer = {
        .watched = (double)((day_of(watch->until_ms) - first) * MEASURE_DAY_MS) / unit_ms};
    double paid = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t day = day_of(purchases[i].at_ms);
        buyer.repeats += day > last;
        last = day;
        paid += day > first ? (double)purchases[i].minor : 0;
    }
    buyer.last = (double)((last - first) * MEASURE_DAY_MS) / unit_ms;
    buyer.mean_value = buyer.repeats > 0 ? paid / watch->money_unit / buyer.repeats : 0;
    return buyer;
}

struct measure_buyer *measure_buyers_make(struct measure_purchase *purchases, size_t purchase_count,
                                          const struct measure_watch *watch, size_t *count,
                                          struct proto_fault *fault)
{
    struct measure_buyer *buyers = calloc(purchase_count + 1, sizeof *buyers);
    if (buyers == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu purchases", purchase_count);
        return NULL;
    }
    if (purchase_count > 0) {
        qsort(purchases, purchase_count, sizeof *purchases, by_account_and_time);
    }
    *count = 0;
    for (size_t i = 0; i < purchase_count;) {
        size_t first = i;
        size_t known = 0;
        for (; i < purchase_count && purchases[i].account == purchases[first].account; i++) {
            known += day_of(purchases[i].at_ms) <= day_of(watch->until_ms);
        }
        if (known > 0) {
            buyers[(*count)++] = buyer_of(&purchases[first], known, watch);
        }
    }
    return buyers;
}

/* Purchases of the horizon, period by period, each at its discount. */
static double discounted(const struct measure_fit *fit, const struct measure_buyer *buyer,
                         const struct measure_purchase_options *options)
{
    double sum = 0;
    double before = 0;
    double factor = 1;
    if (options->discount == 0) {
        return measure_bgnbd_expected(fit, buyer, options->horizon);
    }
    for (unsigned t = 1; t <= options->horizon; t++) {
        double after = measure_bgnbd_expected(fit, buyer, t);
        factor /= 1 + options->discount;
        sum += (after - before) * factor;
        before = after;
    }
    return sum;
}

/* Whether to go on, asked once in so many periods looked ahead. */
static bool looks_on(const struct measure_purchase_options *options, unsigned *periods,
                     struct proto_fault *fault)
{
    unsigned each = options->discount == 0 ? 1 : options->horizon;
    *periods += each;
    if (*periods < PERIODS_PER_ASKING) {
        return true;
    }
    *periods = 0;
    return measure_goes_on(options->pace, fault);
}

static bool value_rows(struct measure_table *table, const struct measure_fit *often,
                       const struct measure_fit *value, const struct measure_buyer *buyers,
                       size_t count, const struct measure_purchase_options *options,
                       struct proto_fault *fault)
{
    static const char *const names[MEASURE_FIT_PARAMETERS] = {"p", "q", "gamma"};
    unsigned periods = 0;
    double clv = 0;
    double paid = 0;
    for (size_t i = 0; i < count; i++) {
        double one = measure_gamma_value(value, &buyers[i]);
        if (!looks_on(options, &periods, fault)) {
            return false;
        }
        paid += one;
        clv += one * options->margin * discounted(often, &buyers[i], options);
    }
    parameters(table, "gamma-gamma", names, value);
    plain_figure(table, "gamma-gamma", "correlation of value and frequency",
                 measure_value_correlation(buyers, count), value->n);
    plain_figure(table, "gamma-gamma", "mean value of a purchase", paid / (double)count, count);
    plain_figure(table, "both", "value of a customer within the horizon", clv / (double)count,
                 count);
    return true;
}

bool measure_clv_purchases_table(const struct measure_buyer *buyers, size_t count,
                                 const struct measure_purchase_options *options,
                                 struct measure_table *table, struct proto_fault *fault)
{
    static const char *const names[MEASURE_FIT_PARAMETERS] = {"r", "alpha", "a", "b"};
    struct measure_fit often = {.count = 0};
    struct measure_fit value = {.count = 0};
    struct proto_fault none = {.code = PROTO_OK};
    measure_table_init(table, MEASURE_ID_CLV_PURCHASES);
    if (!measure_bgnbd_fit(buyers, count, options->pace, &often, fault)) {
        return false;
    }
    double alive = 0;
    double expected = 0;
    for (size_t i = 0; i < count; i++) {
        alive += measure_bgnbd_alive(&often, &buyers[i]);
        expected += measure_bgnbd_expected(&often, &buyers[i], options->horizon);
        if (i % BUYERS_PER_ASKING == 0 && !measure_goes_on(options->pace, fault)) {
            return false;
        }
    }
    parameters(table, "bg/nbd", names, &often);
    plain_figure(table, "bg/nbd", "customers still buying", alive, count);
    plain_figure(table, "bg/nbd", "purchases within the horizon", expected, count);
    if (measure_gamma_fit(buyers, count, options->pace, &value, &none)) {
        if (!value_rows(table, &often, &value, buyers, count, options, fault)) {
            return false;
        }
    } else if (none.code != PROTO_NO_EVIDENCE) {
        *fault = none;
        return false;
    }
    return table_end(table, fault);
}
