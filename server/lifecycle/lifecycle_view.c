/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of views, and each table filled of how accounts stand. All views share their
 * parameters, so that those of several at once are read once. */
#include "server/lifecycle/lifecycle_view.h"

#include <stdlib.h>
#include <string.h>

#include "server/feature/span_text.h"
#include "server/lifecycle/lifecycle_listed.h"
#include "server/lifecycle/lifecycle_parameter.h"

static bool is_view(enum measure_id id)
{
    return id >= MEASURE_ID_GRID && id <= MEASURE_ID_FINANCE;
}

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

static bool table_fill(struct lifecycle_standing *standing, struct measure_table *table,
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
                table_fill(&standing, &result->table, fault);
    result->accounts = standing.count;
    result->events = standing.collect.known;
    result->subscriptions = standing.subscriptions;
    result->newest_ms = standing.collect.newest_ms;
    result->icp = standing.expression.document != NULL ? standing.expression.document->version : 0;
    lifecycle_standing_fini(&standing);
    return good;
}

enum measure_id lifecycle_view_find(struct proto_span name)
{
    static const char prefix[] = "view-";
    for (int id = MEASURE_ID_GRID; id <= MEASURE_ID_FINANCE; id++) {
        const char *whole = measure_info((enum measure_id)id)->name;
        bool prefixed = strncmp(whole, prefix, strlen(prefix)) == 0;
        if (proto_span_is(name, whole) ||
            (prefixed && proto_span_is(name, whole + strlen(prefix)))) {
            return (enum measure_id)id;
        }
    }
    return MEASURE_IDS;
}

/* Each parameter that was given is one of a view that was asked for. */
static bool parameters_known(const struct lifecycle_request *request, const enum measure_id *ids,
                             size_t count, struct proto_fault *fault)
{
    for (size_t i = 0; i < request->parameter_count; i++) {
        struct lifecycle_request one = *request;
        struct proto_fault why = {.code = PROTO_OK};
        bool known = false;
        one.parameters = &request->parameters[i];
        one.parameter_count = 1;
        for (size_t v = 0; v < count && !known; v++) {
            one.measure = ids[v];
            known = lifecycle_parameters_known(&one, &why);
        }
        if (!known) {
            *fault = why;
            return false;
        }
    }
    return true;
}

static bool segments_known(const struct lifecycle_request *request, const enum measure_id *ids,
                           size_t count, struct proto_fault *fault)
{
    bool known = request->by.bytes == 0;
    char others[160];
    for (size_t v = 0; v < count && !known; v++) {
        known = lifecycle_way(ids[v])->segments;
    }
    lifecycle_segmented(MEASURE_ID_GRID, MEASURE_ID_FINANCE, others, sizeof others);
    return known || proto_fault_set(fault, PROTO_BAD_FIELD, "by",
                                    "of views these have segments: %s", others);
}

bool lifecycle_views(struct engine_worker *worker, const struct engine_job *job,
                     const struct lifecycle_request *request, const enum measure_id *ids,
                     size_t count, struct lifecycle_views *views, struct proto_fault *fault)
{
    struct lifecycle_settings settings;
    struct lifecycle_standing standing;
    uint64_t seq = engine_worker_seq(worker);
    *views = (struct lifecycle_views){.rules = request->rules,
                                      .newest_ms = INT64_MIN,
                                      .seq = request->as_of.seq < seq ? request->as_of.seq : seq};
    if (!parameters_known(request, ids, count, fault) ||
        !segments_known(request, ids, count, fault) ||
        !lifecycle_view_read(request, &settings, fault)) {
        return false;
    }
    struct lifecycle_standing_options *options = &settings.standing;
    options->view.at_ms = lifecycle_moment(worker, request, options->view.at_ms);
    bool good =
        lifecycle_standing_make(worker, job, request, options, &views->rules, &standing, fault);
    for (size_t v = 0; v < count && good; v++) {
        struct measure_table *table = &views->tables[views->count++];
        measure_table_init(table, ids[v]);
        good = is_view(ids[v]) && table_fill(&standing, table, fault);
    }
    if (good) {
        const struct learn_document *document = standing.expression.document;
        views->icp = document != NULL ? document->version : 0;
        views->accounts = standing.count;
        views->events = standing.collect.known;
        views->subscriptions = standing.subscriptions;
        views->newest_ms = standing.collect.newest_ms;
        views->at_ms = options->view.at_ms;
        views->version = standing.definition.version;
        memcpy(views->name, standing.definition.name, sizeof views->name);
    }
    lifecycle_standing_fini(&standing);
    return good;
}

void lifecycle_views_fini(struct lifecycle_views *views)
{
    for (size_t v = 0; v < views->count; v++) {
        measure_table_fini(&views->tables[v]);
    }
}
