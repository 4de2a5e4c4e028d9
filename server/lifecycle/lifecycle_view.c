/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of views, and each table filled of how accounts stand. All views share their
 * parameters, so that those of several at once are read once (lifecycle_view_many.c). */
#include "server/lifecycle/lifecycle_view.h"

#include <stdlib.h>

#include "server/lifecycle/lifecycle_listed.h"
#include "server/lifecycle/lifecycle_parameter.h"
#include "server/lifecycle/lifecycle_stage.h"

/* The request as the first view sees it that has the parameter. */
static struct lifecycle_request asked_of(const struct lifecycle_request *request, const char *name)
{
    struct lifecycle_request asked = *request;
    int id = MEASURE_ID_GRID;
    while (measure_parameter_find((enum measure_id)id, name) == NULL) {
        id++;
    }
    asked.measure = (enum measure_id)id;
    return asked;
}

static bool days_read(const struct lifecycle_request *request, const char *name, int64_t *ms,
                      struct proto_fault *fault)
{
    const struct lifecycle_request asked = asked_of(request, name);
    return lifecycle_days(&asked, name, ms, fault);
}

static bool count_read(const struct lifecycle_request *request, const char *name, unsigned *count,
                       struct proto_fault *fault)
{
    const struct lifecycle_request asked = asked_of(request, name);
    return lifecycle_count(&asked, name, count, fault);
}

static bool number_read(const struct lifecycle_request *request, const char *name, double *number,
                        struct proto_fault *fault)
{
    const struct lifecycle_request asked = asked_of(request, name);
    return lifecycle_number(&asked, name, number, fault);
}

static bool text_read(const struct lifecycle_request *request, const char *name,
                      struct proto_span *text, struct proto_fault *fault)
{
    const struct lifecycle_request asked = asked_of(request, name);
    return lifecycle_text(&asked, name, text, fault);
}

bool lifecycle_view_read(const struct lifecycle_request *request,
                         struct lifecycle_settings *settings, struct proto_fault *fault)
{
    struct lifecycle_standing_options *options = &settings->standing;
    struct measure_view *view = &options->view;
    const struct lifecycle_request timed = asked_of(request, "as-of");
    *options = (struct lifecycle_standing_options){.mature_ms = 0};
    return lifecycle_time_or_none(&timed, "as-of", &view->at_ms, fault) &&
           text_read(request, "engagement", &options->engagement, fault) &&
           text_read(request, "won-kind", &options->won, fault) &&
           text_read(request, "lost-kind", &options->lost, fault) &&
           text_read(request, "kind", &options->kind, fault) &&
           days_read(request, "mature", &options->mature_ms, fault) &&
           days_read(request, "lookback", &options->lookback_ms, fault) &&
           days_read(request, "window", &view->window_ms, fault) &&
           days_read(request, "onboarding", &view->onboarding_ms, fault) &&
           days_read(request, "outstanding", &view->outstanding_ms, fault) &&
           number_read(request, "margin", &view->margin, fault) &&
           number_read(request, "discount", &view->discount, fault) &&
           number_read(request, "dominates", &view->dominates, fault) &&
           count_read(request, "stages", &options->stages, fault) &&
           count_read(request, "least", &view->least, fault) &&
           count_read(request, "top", &view->top, fault);
}

/* Listed accounts in `order`, with their texts. */
struct listing {
    struct lifecycle_standing *standing;
    uint32_t *order;
    uint32_t listed;
    struct lifecycle_listed texts;
};

static bool listing_begin(struct listing *listing, struct lifecycle_standing *standing,
                          struct proto_fault *fault)
{
    *listing = (struct listing){.standing = standing};
    listing->order = calloc((size_t)standing->count + 1, sizeof *listing->order);
    return listing->order != NULL || proto_fault_set(fault, PROTO_NO_MEMORY, "",
                                                     "no memory for %u accounts", standing->count);
}

static void listing_end(struct listing *listing)
{
    free(listing->order);
    lifecycle_listed_fini(&listing->texts);
}

static bool sales_fill(struct lifecycle_standing *standing, struct measure_table *table,
                       struct proto_fault *fault)
{
    const struct measure_view *view = &standing->view;
    struct listing listing;
    bool good =
        listing_begin(&listing, standing, fault) &&
        measure_sales_order(view, listing.order, &listing.listed, fault) &&
        lifecycle_listed_names(&listing.texts, standing, listing.order, listing.listed, fault) &&
        (!view->scored || (lifecycle_listed_reasons(&listing.texts, standing, fault) &&
                           lifecycle_listed_references(&listing.texts, standing, fault))) &&
        lifecycle_listed_stages(&listing.texts, standing, fault) &&
        measure_sales_table(view, listing.order, listing.listed, listing.texts.told, table, fault);
    listing_end(&listing);
    return good;
}

static bool success_fill(struct lifecycle_standing *standing, struct measure_table *table,
                         struct proto_fault *fault)
{
    const struct measure_view *view = &standing->view;
    struct listing listing;
    bool good =
        listing_begin(&listing, standing, fault) &&
        measure_success_order(view, listing.order, &listing.listed, fault) &&
        lifecycle_listed_names(&listing.texts, standing, listing.order, listing.listed, fault) &&
        measure_success_table(view, listing.order, listing.listed, listing.texts.told, table,
                              fault);
    listing_end(&listing);
    return good;
}

static bool product_fill(struct lifecycle_standing *standing, struct measure_table *table,
                         struct proto_fault *fault)
{
    const struct measure_view *view = &standing->view;
    struct measure_asked *rows = calloc((size_t)view->request_count + 1, sizeof *rows);
    uint32_t *order = calloc((size_t)view->request_count + 1, sizeof *order);
    struct lifecycle_listed texts = {.count = 0};
    uint32_t listed = 0;
    bool good = rows != NULL && order != NULL;
    if (!good) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u requests",
                              view->request_count);
    }
    good = good && measure_product_rows(view, rows, &listed, fault);
    for (uint32_t r = 0; r < listed && good; r++) {
        order[r] = rows[r].loudest;
    }
    good = good && lifecycle_listed_names(&texts, standing, order, listed, fault) &&
           measure_product_table(view, rows, listed, texts.told, table, fault);
    free(rows);
    free(order);
    lifecycle_listed_fini(&texts);
    return good;
}

bool lifecycle_view_fill(struct lifecycle_standing *standing, struct measure_table *table,
                         struct proto_fault *fault)
{
    switch (table->id) {
    case MEASURE_ID_GRID:
        return measure_grid_table(&standing->view, table, fault);
    case MEASURE_ID_SALES:
        return sales_fill(standing, table, fault);
    case MEASURE_ID_MARKETING:
        return measure_marketing_table(&standing->view, table, fault);
    case MEASURE_ID_SUCCESS:
        return success_fill(standing, table, fault);
    case MEASURE_ID_PRODUCT:
        return product_fill(standing, table, fault);
    default:
        return measure_finance_table(&standing->view, &standing->cohort, table, fault);
    }
}

bool lifecycle_view_look(struct lifecycle_run *run, struct proto_fault *fault)
{
    struct lifecycle_standing_options *options = &run->settings.standing;
    struct lifecycle_result *result = run->result;
    struct lifecycle_standing standing;
    options->view.at_ms = lifecycle_moment(run->worker, run->request, options->view.at_ms);
    bool good = lifecycle_standing_make(run->worker, run->job, run->request, options,
                                        &result->rules, &standing, fault) &&
                lifecycle_view_fill(&standing, &result->table, fault);
    result->accounts = standing.count;
    result->events = standing.collect.known;
    result->subscriptions = standing.subscriptions;
    result->newest_ms = standing.collect.newest_ms;
    result->icp = standing.expression.document != NULL ? standing.expression.document->version : 0;
    lifecycle_standing_fini(&standing);
    return good;
}
