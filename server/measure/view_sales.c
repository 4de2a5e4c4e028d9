/* SPDX-License-Identifier: Apache-2.0 */
/* Whom to call first: a plain order that anybody can follow, and who may serve as a reference. */
#include <stdlib.h>

#include "server/math/order.h"
#include "server/measure/measure_view.h"

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* A number whose order is that of the list. */
struct placed {
    double fit;
    uint32_t account;
    uint8_t grade, band;
};

static int by_priority(const void *left, const void *right)
{
    const struct placed *a = left;
    const struct placed *b = right;
    int order = compare(a->grade, b->grade);
    order = order != 0 ? order : compare(b->band, a->band);
    order = order != 0 ? order : (a->fit < b->fit) - (a->fit > b->fit);
    return order != 0 ? order : compare(a->account, b->account);
}

bool measure_sales_order(const struct measure_view *view, uint32_t *order, uint32_t *listed,
                         struct proto_fault *fault)
{
    struct placed *placed = calloc((size_t)view->count + 1, sizeof *placed);
    uint32_t count = 0;
    *listed = 0;
    if (placed == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u accounts",
                               view->count);
    }
    for (uint32_t a = 0; a < view->count; a++) {
        const struct measure_standing *account = &view->accounts[a];
        if (!account->customer) {
            placed[count++] = (struct placed){account->fit, a, account->grade, account->band};
        }
    }
    qsort(placed, count, sizeof *placed, by_priority);
    for (; *listed < count && *listed < view->top; (*listed)++) {
        order[*listed] = placed[*listed].account;
    }
    free(placed);
    return true;
}

bool measure_outstanding(const struct measure_view *view, uint32_t *order, uint32_t *listed,
                         struct proto_fault *fault)
{
    int64_t *revenue = calloc((size_t)view->count + 1, sizeof *revenue);
    size_t customers = 0;
    *listed = 0;
    if (revenue == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u accounts",
                               view->count);
    }
    for (uint32_t a = 0; a < view->count; a++) {
        if (view->accounts[a].customer) {
            revenue[customers++] = view->accounts[a].mrr;
        }
    }
    math_sort_i64(revenue, customers);
    int64_t median = customers > 0 ? math_quantile_i64(revenue, customers, 1, 2) : 0;
    for (uint32_t a = 0; a < view->count; a++) {
        const struct measure_standing *account = &view->accounts[a];
        bool long_here = account->customer && !account->lapsed &&
                         account->since_ms <= view->at_ms - view->outstanding_ms;
        bool pays = account->mrr >= median &&
                    (!account->customer_then || account->mrr >= account->mrr_then);
        if (long_here && pays) {
            order[(*listed)++] = a;
        }
    }
    free(revenue);
    return true;
}

static void row_add(const struct measure_view *view, uint32_t rank,
                    const struct measure_standing *account, const struct measure_listed *texts,
                    struct measure_table *table)
{
    const struct measure_tally *cell = &view->cells[account->grade][account->band];
    measure_add_whole(table, rank);
    measure_add_text(table, texts->id);
    measure_add_text(table, texts->name);
    measure_add_text(table, measure_grade_name(account->grade));
    measure_add_number(table, account->fit);
    measure_add_number(table, account->p);
    measure_add_text(table, measure_band_name((enum measure_band)account->band));
    measure_add_number(table, (double)account->engagement / (double)MEASURE_WEIGHT_ONE);
    if (account->last_ms == INT64_MIN) {
        measure_add_absent(table);
    } else {
        measure_add_whole(table, account->last_ms);
    }
    measure_add_whole(table, account->open);
    measure_add_text(table, texts->stage);
    measure_add_number(table, texts->win);
    measure_add_rate(table, &texts->from_stage, view->least);
    if (texts->from_stage.n > 0) {
        measure_add_whole(table, (int64_t)texts->from_stage.n);
    } else {
        measure_add_absent(table);
    }
    measure_add_rate(table, cell, view->least);
    measure_add_whole(table, (int64_t)cell->n);
    measure_add_text(table, texts->reasons);
    measure_add_text(table, texts->reference);
    measure_add_number(table, texts->alike);
    measure_add_verdict(table, cell->n, view->least, "mature cases");
}

bool measure_sales_table(const struct measure_view *view, const uint32_t *order, uint32_t listed,
                         const struct measure_listed *texts, struct measure_table *table,
                         struct proto_fault *fault)
{
    for (uint32_t i = 0; i < listed; i++) {
        row_add(view, i + 1, &view->accounts[order[i]], &texts[i], table);
    }
    return measure_table_good(table) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table");
}
