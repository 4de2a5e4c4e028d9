/* SPDX-License-Identifier: Apache-2.0 */
/* Requests over the accounts that made them. One that a single large account of low fit dominates
 * is a lighthouse: it is flagged, and stands where fit puts it, beside the rank that it would have.
 */
#include <math.h>
#include <stdlib.h>

#include "server/math/order.h"
#include "server/measure/measure_view.h"

/* From this ARR on a customer is of the tenth with most; INT64_MAX: there is no customer. */
static bool large_from(const struct measure_view *view, int64_t *least, struct proto_fault *fault)
{
    int64_t *revenue = calloc((size_t)view->count + 1, sizeof *revenue);
    size_t customers = 0;
    if (revenue == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u accounts",
                               view->count);
    }
    for (uint32_t a = 0; a < view->count; a++) {
        if (view->accounts[a].mrr > 0) {
            revenue[customers++] = view->accounts[a].mrr;
        }
    }
    math_sort_i64(revenue, customers);
    *least = customers > 0 ? 12 * revenue[customers - (customers + 9) / 10] : INT64_MAX;
    free(revenue);
    return true;
}

static void asking_add(const struct measure_view *view, const struct measure_asking *asking,
                       struct measure_asked *row)
{
    const struct measure_standing *account = &view->accounts[asking->account];
    int64_t arr = 12 * account->mrr;
    if (row->accounts == 0 || arr > row->loudest_arr) {
        row->loudest = asking->account;
        row->loudest_arr = arr;
    }
    row->accounts++;
    row->fitting += account->grade <= 1;
    row->count += asking->count;
    row->open += asking->open;
    row->oldest_ms = asking->oldest_ms < row->oldest_ms ? asking->oldest_ms : row->oldest_ms;
    row->arr += arr;
    row->weighed += view->scored ? llround((double)arr * account->fit / 100) : arr;
}

static int by_arr(const void *left, const void *right)
{
    const struct measure_asked *a = left;
    const struct measure_asked *b = right;
    int order = (a->arr < b->arr) - (a->arr > b->arr);
    order = order != 0 ? order : (a->accounts < b->accounts) - (a->accounts > b->accounts);
    return order != 0 ? order : (a->request > b->request) - (a->request < b->request);
}

static int by_weight(const void *left, const void *right)
{
    const struct measure_asked *a = left;
    const struct measure_asked *b = right;
    int order = (a->weighed < b->weighed) - (a->weighed > b->weighed);
    return order != 0 ? order : (a->plain > b->plain) - (a->plain < b->plain);
}

static bool is_lighthouse(const struct measure_view *view, const struct measure_asked *row,
                          int64_t large)
{
    return row->arr > 0 && row->accounts > 0 &&
           (double)row->loudest_arr >= view->dominates * (double)row->arr &&
           row->loudest_arr >= large && view->scored && view->accounts[row->loudest].grade >= 2;
}

bool measure_product_rows(const struct measure_view *view, struct measure_asked *rows,
                          uint32_t *listed, struct proto_fault *fault)
{
    int64_t large = INT64_MAX;
    uint32_t count = view->request_count;
    if (!large_from(view, &large, fault)) {
        return false;
    }
    for (uint32_t r = 0; r < count; r++) {
        rows[r] = (struct measure_asked){.request = r, .oldest_ms = INT64_MAX};
    }
    for (size_t i = 0; i < view->asking_count; i++) {
        asking_add(view, &view->askings[i], &rows[view->askings[i].request]);
    }
    if (count > 1) {
        qsort(rows, count, sizeof *rows, by_arr);
    }
    for (uint32_t r = 0; r < count; r++) {
        rows[r].plain = r + 1;
        rows[r].lighthouse = is_lighthouse(view, &rows[r], large);
    }
    if (count > 1) {
        qsort(rows, count, sizeof *rows, by_weight);
    }
    *listed = count < view->top ? count : view->top;
    return true;
}

bool measure_product_table(const struct measure_view *view, const struct measure_asked *rows,
                           uint32_t listed, const struct measure_listed *texts,
                           struct measure_table *table, struct proto_fault *fault)
{
    for (uint32_t r = 0; r < listed; r++) {
        const struct measure_asked *row = &rows[r];
        measure_add_whole(table, r + 1);
        measure_add_text(table, view->requests[row->request].name);
        measure_add_text(table, view->requests[row->request].kind);
        measure_add_whole(table, (int64_t)row->count);
        measure_add_whole(table, (int64_t)row->open);
        if (row->oldest_ms == INT64_MAX) {
            measure_add_absent(table);
        } else {
            measure_add_whole(table, row->oldest_ms);
        }
        measure_add_whole(table, row->accounts);
        measure_add_whole(table, row->fitting);
        measure_add_whole(table, row->arr);
        if (view->scored) {
            measure_add_whole(table, row->weighed);
        } else {
            measure_add_absent(table);
        }
        measure_add_text(table, texts[r].id);
        measure_add_number(table, row->arr > 0 ? (double)row->loudest_arr / (double)row->arr
                                               : MEASURE_NAN);
        measure_add_text(table, row->lighthouse ? "lighthouse" : "");
        measure_add_whole(table, row->plain);
    }
    return measure_table_good(table) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the table");
}
