/* SPDX-License-Identifier: Apache-2.0 */
/* The request's place is found, or that of the one that was asked longest ago is cleared; then each
 * page is taken as it was, or summed anew and its sums put in the place of those before in the sums
 * of all, which are the answer. Whatever is unusual ends it without one. */
#include "server/lifecycle/lifecycle_kept.h"

#include <stdlib.h>

#include "server/store/store.h"

/* What a page comes to. */
struct page_sums {
    struct lifecycle_page *page; /* that it was made of, retained; NULL: none */
    struct measure_mrr_sums *sums;
    uint64_t known, held;
    int64_t newest_ms;
    int64_t amounts; /* added up: all pages together must not go beyond MEASURE_SUM_MAX */
    char currency[MEASURE_CURRENCY_BYTES]; /* "": nothing is held */
};

struct kept_request {
    uint64_t used; /* when it was asked last; 0: free */
    int64_t from_ms, to_ms;
    int period_months;
    struct measure_rules rules;
    struct measure_moments moments;
    struct page_sums *pages;
    uint32_t count;
    struct measure_mrr_sums *sums; /* of all pages */
};

/* The guest of columns. */
struct lifecycle_kept {
    pthread_mutex_t lock;
    uint64_t turn;
    struct kept_request requests[LIFECYCLE_KEPT_MAX];
};

static void *kept_create(void)
{
    struct lifecycle_kept *kept = calloc(1, sizeof *kept);
    if (kept != NULL) {
        pthread_mutex_init(&kept->lock, NULL);
    }
    return kept;
}

static void request_clear(struct kept_request *request)
{
    for (uint32_t i = 0; i < request->count; i++) {
        lifecycle_page_release(request->pages[i].page);
        free(request->pages[i].sums);
    }
    free(request->pages);
    free(request->sums);
    measure_moments_fini(&request->moments);
    *request = (struct kept_request){.used = 0};
}

static void kept_destroy(void *guest)
{
    struct lifecycle_kept *kept = guest;
    for (size_t i = 0; i < LIFECYCLE_KEPT_MAX; i++) {
        request_clear(&kept->requests[i]);
    }
    pthread_mutex_destroy(&kept->lock);
    free(kept);
}

static bool rules_same(const struct measure_rules *a, const struct measure_rules *b)
{
    return measure_rules_differ(a, b) == 0 && strcmp(a->base, b->base) == 0;
}

static struct kept_request *request_find(struct lifecycle_kept *kept,
                                         const struct lifecycle_run *run, struct proto_fault *fault)
{
    const struct lifecycle_settings *settings = &run->settings;
    struct kept_request *oldest = &kept->requests[0];
    for (size_t i = 0; i < LIFECYCLE_KEPT_MAX; i++) {
        struct kept_request *request = &kept->requests[i];
        if (request->used > 0 && request->from_ms == settings->from_ms &&
            request->to_ms == settings->to_ms &&
            request->period_months == settings->period_months &&
            rules_same(&request->rules, &run->result->rules)) {
            return request;
        }
        oldest = request->used < oldest->used ? request : oldest;
    }
    request_clear(oldest);
    oldest->from_ms = settings->from_ms;
    oldest->to_ms = settings->to_ms;
    oldest->period_months = settings->period_months;
    oldest->rules = run->result->rules;
    if (!measure_moments_make(&oldest->moments, settings->from_ms, settings->to_ms,
                              settings->period_months, false, fault)) {
        return NULL;
    }
    oldest->sums = calloc(oldest->moments.count, sizeof *oldest->sums);
    if (oldest->sums == NULL) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu periods",
                              oldest->moments.count);
        return NULL;
    }
    return oldest;
}

static bool pages_room(struct kept_request *request, uint32_t count)
{
    if (count <= request->count) {
        return true;
    }
    struct page_sums *grown = realloc(request->pages, count * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    memset(grown + request->count, 0, (count - request->count) * sizeof *grown);
    request->pages = grown;
    request->count = count;
    return true;
}

/* Subscriptions of the page by its accounts; NULL: no memory, or one of another currency. */
static struct measure_subscription *page_open(const struct lifecycle_page *page,
                                              struct page_sums *sums)
{
    size_t count = page->held_first[LIFECYCLE_PAGE_SLOTS];
    struct measure_subscription *subscriptions = calloc(count + 1, sizeof *subscriptions);
    bool good = subscriptions != NULL;
    for (uint32_t at = 0; at < LIFECYCLE_PAGE_SLOTS && good; at++) {
        sums->known += page->known[at];
        sums->newest_ms =
            page->newest_ms[at] > sums->newest_ms ? page->newest_ms[at] : sums->newest_ms;
        for (size_t i = page->held_first[at]; i < page->held_first[at + 1] && good; i++) {
            const struct lifecycle_held *held = &page->held[i];
            if (sums->currency[0] == '\0') {
                memcpy(sums->currency, held->currency, sizeof sums->currency);
            }
            good = memcmp(sums->currency, held->currency, sizeof sums->currency) == 0 &&
                   !__builtin_add_overflow(sums->amounts, held->amount + 1, &sums->amounts);
            subscriptions[i] = lifecycle_held_open(held, at);
        }
    }
    sums->held = count;
    if (!good) {
        free(subscriptions);
        return NULL;
    }
    return subscriptions;
}

/* False: it cannot be said here. */
static bool page_sum(struct kept_request *request, struct lifecycle_page *page,
                     struct page_sums *sums)
{
    struct proto_fault ignored = {.code = PROTO_OK};
    struct measure_rules rules = request->rules;
    const struct measure_segments none = {NULL, NULL, 0};
    struct measure_spells spells = {.accounts = 0};
    struct page_sums made = {.newest_ms = INT64_MIN};
    struct measure_subscription *subscriptions = page_open(page, &made);
    made.sums = calloc(request->moments.count, sizeof *made.sums);
    if (rules.base[0] == '\0') {
        memcpy(rules.base, made.currency, sizeof rules.base);
    }
    bool good =
        subscriptions != NULL && made.sums != NULL &&
        measure_spells_make(subscriptions, made.held, LIFECYCLE_PAGE_SLOTS, &rules, &spells,
                            &ignored) &&
        measure_mrr_sums_make(&spells, &rules, &none, &request->moments, made.sums, NULL, &ignored);
    measure_spells_fini(&spells);
    free(subscriptions);
    if (!good) {
        free(made.sums);
        return false;
    }
    for (size_t p = 0; p + 1 < request->moments.count; p++) {
        measure_mrr_sums_join(&request->sums[p], &made.sums[p]);
        if (sums->sums != NULL) {
            measure_mrr_sums_part(&request->sums[p], &sums->sums[p]);
        }
    }
    lifecycle_page_release(sums->page);
    free(sums->sums);
    made.page = lifecycle_page_retain(page);
    *sums = made;
    return true;
}

/* What all pages come to. */
struct total {
    int64_t amounts;
    bool beyond; /* MEASURE_SUM_MAX */
    char currency[MEASURE_CURRENCY_BYTES];
};

static bool page_add(const struct page_sums *page, struct total *total,
                     struct lifecycle_result *result)
{
    if (page->held > 0 && total->currency[0] == '\0') {
        memcpy(total->currency, page->currency, sizeof total->currency);
    }
    result->events += page->known;
    result->subscriptions += page->held;
    result->newest_ms = page->newest_ms > result->newest_ms ? page->newest_ms : result->newest_ms;
    if (page->held == 0) {
        return true;
    }
    total->beyond = __builtin_add_overflow(total->amounts, page->amounts, &total->amounts) ||
                    total->amounts > MEASURE_SUM_MAX;
    return strcmp(total->currency, page->currency) == 0 && !total->beyond;
}

static bool pages_add(struct kept_request *request, struct lifecycle_run *run, struct total *total,
                      struct lifecycle_result *result, struct proto_fault *fault)
{
    struct engine_worker *worker = run->worker;
    uint32_t slots = store_view_slots(worker->view);
    uint32_t count = (slots + LIFECYCLE_PAGE_SLOTS - 1) / LIFECYCLE_PAGE_SLOTS;
    bool good = pages_room(request, count);
    for (uint32_t number = 0; number < count && good; number++) {
        struct lifecycle_page *page =
            lifecycle_columns_page(run->request->columns, worker, run->job, number, fault);
        struct page_sums *sums = &request->pages[number];
        good = page != NULL && lifecycle_page_holds_all(page, worker->view) &&
               (sums->page == page || page_sum(request, page, sums)) &&
               page_add(sums, total, result);
        lifecycle_page_release(page);
    }
    if (total->beyond) {
        request_clear(request); /* sums of what never comes to an answer are not added to */
    }
    return good && result->subscriptions > 0;
}

static bool request_answer(struct kept_request *request, struct lifecycle_run *run, bool *done,
                           struct proto_fault *fault)
{
    struct proto_fault why = {.code = PROTO_OK};
    struct lifecycle_result result = {.newest_ms = INT64_MIN};
    struct total total = {.amounts = 0};
    bool good = request->moments.count > 1 && pages_add(request, run, &total, &result, &why);
    if (good) {
        struct measure_rules *rules = &run->result->rules;
        if (rules->base[0] == '\0') {
            memcpy(rules->base, total.currency, sizeof rules->base);
        }
        run->result->accounts = engine_worker_accounts(run->worker);
        run->result->events = result.events;
        run->result->subscriptions = result.subscriptions;
        run->result->newest_ms = result.newest_ms;
        *done = measure_mrr_rows_add(&run->result->table, "all", &request->moments, request->sums,
                                     &why);
    }
    if (why.code != PROTO_OK) {
        *fault = why;
    }
    return why.code == PROTO_OK;
}

bool lifecycle_kept_mrr(struct lifecycle_run *run, bool *done, struct proto_fault *fault)
{
    const struct lifecycle_request *request = run->request;
    bool now = request->as_of.seq >= engine_worker_seq(run->worker) &&
               request->as_of.known_ms == INT64_MAX;
    struct lifecycle_columns *columns = request->columns;
    *done = false;
    if (columns == NULL || !now || request->filter.bytes > 0 || request->by.bytes > 0 ||
        run->result->rules.rate_count > 0) {
        return true;
    }
    struct lifecycle_kept *kept =
        lifecycle_columns_guest(columns, LIFECYCLE_GUEST_KEPT, kept_create, kept_destroy);
    if (kept == NULL) {
        return true;
    }
    pthread_mutex_lock(&kept->lock);
    struct kept_request *found = request_find(kept, run, fault);
    bool good = found != NULL;
    if (good) {
        found->used = ++kept->turn;
        good = request_answer(found, run, done, fault);
    }
    pthread_mutex_unlock(&kept->lock);
    return good;
}
