/* SPDX-License-Identifier: Apache-2.0 */
/* Each account that matches is read twice: its values, if segments or flags are asked for, and its
 * timeline. Any account that cannot be read ends it all. */
#include "server/lifecycle/lifecycle_gather.h"

#include <stdlib.h>

#include "server/engine/expression.h"
#include "server/lifecycle/lifecycle_roll.h"
#include "server/store/store.h"

/* Some 50 ns each. */
enum { SUBSCRIPTIONS_PER_ASKING = 65536 };

static bool no_memory(struct proto_fault *fault, const char *what, size_t count)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu %s", count, what);
}

/* The array, larger; NULL: no memory, and the old one stands. */
static void *grown(void *array, size_t room, size_t bytes)
{
    return realloc(array, room * bytes);
}

static bool account_room(struct lifecycle_gather *gather, struct proto_fault *fault)
{
    if (gather->accounts < gather->account_room) {
        return true;
    }
    size_t room = gather->account_room * 2 + 1024;
    uint32_t *slots = grown(gather->slots, room, sizeof *slots);
    gather->slots = slots != NULL ? slots : gather->slots;
    uint32_t *segments = grown(gather->segments, room, sizeof *segments);
    gather->segments = segments != NULL ? segments : gather->segments;
    bool *flagged = grown(gather->flagged, room, sizeof *flagged);
    gather->flagged = flagged != NULL ? flagged : gather->flagged;
    if (slots == NULL || segments == NULL || flagged == NULL) {
        return no_memory(fault, "accounts", room);
    }
    gather->account_room = room;
    return true;
}

/* Segment and flag of the account under way, by its values. */
static bool values_read(struct lifecycle_gather *gather, uint32_t slot, struct proto_fault *fault)
{
    struct engine_worker *worker = gather->worker;
    uint32_t account = gather->accounts;
    gather->segments[account] = 0;
    gather->flagged[account] = false;
    if (gather->by == NULL && gather->churn_flag == NULL) {
        return true;
    }
    if (!engine_values(worker, slot, NULL, fault)) {
        return lifecycle_fault_of(worker, slot, fault);
    }
    if (gather->churn_flag != NULL) {
        const struct feature_value *flag = &worker->values[gather->churn_flag->id];
        gather->flagged[account] = flag->present && flag->flag;
    }
    return gather->by == NULL || lifecycle_segment_of(&gather->names, worker, gather->by,
                                                      &gather->segments[account], fault);
}

static bool churned_keep(struct lifecycle_gather *gather, int64_t time_ms,
                         struct proto_fault *fault)
{
    if (gather->churned_count == gather->churned_room) {
        size_t room = gather->churned_room * 2 + 256;
        uint32_t *churned = grown(gather->churned, room, sizeof *churned);
        gather->churned = churned != NULL ? churned : gather->churned;
        int64_t *times = grown(gather->churned_ms, room, sizeof *times);
        gather->churned_ms = times != NULL ? times : gather->churned_ms;
        if (churned == NULL || times == NULL) {
            return no_memory(fault, "outcomes", room);
        }
        gather->churned_room = room;
    }
    gather->churned[gather->churned_count] = gather->accounts;
    gather->churned_ms[gather->churned_count++] = time_ms;
    return true;
}

static bool subscriptions_room(struct lifecycle_gather *gather, size_t count,
                               struct proto_fault *fault)
{
    if (gather->count + count > gather->room) {
        size_t room = gather->room * 2 + count + 1024;
        struct measure_subscription *more = grown(gather->subscriptions, room, sizeof *more);
        if (more == NULL) {
            return no_memory(fault, "subscriptions", room);
        }
        gather->subscriptions = more;
        gather->room = room;
    }
    return true;
}

static bool events_fold(struct lifecycle_gather *gather, struct proto_fault *fault)
{
    struct lifecycle_collect *collect = &gather->collect;
    size_t made = 0;
    for (size_t i = 0; i < collect->count; i++) {
        const struct event *event = collect->events[i].event;
        if (event->type == EVENT_OUTCOME && proto_span_is(event->kind, "churned") &&
            !churned_keep(gather, event->time_ms, fault)) {
            return false;
        }
    }
    if (collect->count == 0) {
        return true;
    }
    struct measure_subscription *subscriptions =
        measure_events_subscriptions(collect->events, collect->count, &made, fault);
    bool good = subscriptions != NULL && subscriptions_room(gather, made, fault);
    if (good && made > 0) {
        memcpy(gather->subscriptions + gather->count, subscriptions, made * sizeof *subscriptions);
        gather->count += made;
    }
    free(subscriptions);
    return good;
}

/* Outcomes of churn among the rows of an account. */
static bool page_churned(struct lifecycle_gather *gather, uint32_t at, struct proto_fault *fault)
{
    const struct lifecycle_page *page = gather->mark.page;
    const struct lifecycle_shapes *shapes = lifecycle_columns_shapes(gather->mark.columns);
    for (size_t row = page->first[at]; row < page->first[at + 1]; row++) {
        int64_t shape = 0;
        int64_t time_ms = 0;
        event_column_read(&page->shape, row, 1, &shape);
        const struct event *event = lifecycle_shape(shapes, (uint32_t)shape);
        if (event->type == EVENT_OUTCOME && proto_span_is(event->kind, "churned")) {
            event_column_read(&page->time, row, 1, &time_ms);
            if (!churned_keep(gather, time_ms, fault)) {
                return false;
            }
        }
    }
    return true;
}

/* What the account's events come to, as its page has it. */
static bool page_fold(struct lifecycle_gather *gather, uint32_t slot, struct proto_fault *fault)
{
    const struct lifecycle_page *page = gather->mark.page;
    struct lifecycle_collect *collect = &gather->collect;
    uint32_t at = slot % LIFECYCLE_PAGE_SLOTS;
    size_t first = page->held_first[at];
    size_t count = page->held_first[at + 1] - first;
    if (!subscriptions_room(gather, count, fault)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        gather->subscriptions[gather->count++] =
            lifecycle_held_open(&page->held[first + i], gather->accounts);
    }
    collect->known += page->known[at];
    collect->newest_ms =
        page->newest_ms[at] > collect->newest_ms ? page->newest_ms[at] : collect->newest_ms;
    return !gather->churn || page_churned(gather, at, fault);
}

/* An account whose segment and flag are set. */
static bool account_add(struct lifecycle_gather *gather, uint32_t slot, struct proto_fault *fault)
{
    if (!lifecycle_bookmark_turn(&gather->mark, slot, fault)) {
        return false;
    }
    bool kept = lifecycle_bookmark_holds(&gather->mark, slot);
    if (!(kept ? page_fold(gather, slot, fault)
               : lifecycle_collect_account(&gather->collect, slot, gather->accounts, fault) &&
                     events_fold(gather, fault))) {
        return false;
    }
    gather->slots[gather->accounts++] = slot;
    return true;
}

bool lifecycle_walk(struct engine_worker *worker, const struct engine_job *job,
                    const struct lifecycle_request *request, void *context,
                    bool (*each)(void *context, uint32_t slot, int64_t raw,
                                 struct proto_fault *fault),
                    struct proto_fault *fault)
{
    struct engine_expression expression;
    if (!engine_expression_open(worker, request->filter, request->icp, false, &expression, fault)) {
        return false;
    }
    bool scores = expression.filter && filter_reads_score(expression.filter);
    struct engine_walk walk = {.worker = worker,
                               .job = job,
                               .filter = expression.filter,
                               .document = scores ? expression.document : NULL,
                               .context = context,
                               .each = each};
    bool good = engine_walk(&walk, fault);
    engine_expression_close(&expression);
    return good;
}

static bool account_visit(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    struct lifecycle_gather *gather = context;
    (void)raw;
    return account_room(gather, fault) && values_read(gather, slot, fault) &&
           account_add(gather, slot, fault);
}

/* Everybody, by the roll that is kept; *done: there is one. */
static bool roll_add(struct lifecycle_gather *gather, bool *done, struct proto_fault *fault)
{
    struct lifecycle_roll roll;
    uint32_t slots = store_view_slots(gather->worker->view);
    if (!lifecycle_roll_get(gather->mark.columns, gather->worker, gather->job, gather->by, &roll,
                            &gather->names, done, fault)) {
        return false;
    }
    bool good = true;
    for (uint32_t slot = 0; slot < slots && *done && good; slot++) {
        uint32_t at = slot % LIFECYCLE_PAGE_SLOTS;
        if (at == 0) {
            good = engine_scan_goes_on(gather->job, fault);
        }
        if (good && lifecycle_roll_lives(&roll, slot) && (good = account_room(gather, fault))) {
            gather->segments[gather->accounts] =
                roll.pages[slot / LIFECYCLE_PAGE_SLOTS].segments[at];
            gather->flagged[gather->accounts] = false;
            good = account_add(gather, slot, fault);
        }
    }
    lifecycle_roll_fini(&roll);
    return good;
}

static bool accounts_add(struct lifecycle_gather *gather, const struct lifecycle_request *request,
                         struct proto_fault *fault)
{
    bool done = false;
    if (request->filter.bytes == 0 && gather->churn_flag == NULL &&
        !roll_add(gather, &done, fault)) {
        return false;
    }
    return done ||
           ((gather->by == NULL || lifecycle_segments_begin(&gather->names, fault)) &&
            lifecycle_walk(gather->worker, gather->job, request, gather, account_visit, fault));
}

bool lifecycle_gather(struct engine_worker *worker, const struct engine_job *job,
                      const struct lifecycle_request *request, struct lifecycle_gather *gather,
                      struct proto_fault *fault)
{
    bool now =
        request->as_of.seq >= engine_worker_seq(worker) && request->as_of.known_ms == INT64_MAX;
    *gather = (struct lifecycle_gather){
        .worker = worker,
        .job = job,
        .mark = {.columns = now ? request->columns : NULL, .worker = worker, .job = job},
        .churn = request->measure == MEASURE_ID_BRIDGE};
    lifecycle_collect_init(&gather->collect, worker, job, &request->as_of,
                           UINT32_C(1) << EVENT_SUBSCRIPTION | UINT32_C(1) << EVENT_OUTCOME);
    return lifecycle_field_find(worker, request->by, "by", false, &gather->by, fault) &&
           lifecycle_field_find(worker, request->churn_flag, "churn_flag", true,
                                &gather->churn_flag, fault) &&
           accounts_add(gather, request, fault);
}

void lifecycle_gather_fini(struct lifecycle_gather *gather)
{
    lifecycle_collect_fini(&gather->collect);
    lifecycle_bookmark_fini(&gather->mark);
    lifecycle_names_fini(&gather->names);
    free(gather->slots);
    free(gather->segments);
    free(gather->flagged);
    free(gather->subscriptions);
    free(gather->churned);
    free(gather->churned_ms);
    *gather = (struct lifecycle_gather){.accounts = 0};
}

static bool currency_settle(const struct lifecycle_gather *gather, struct measure_rules *rules,
                            struct proto_fault *fault)
{
    if (rules->base[0] != '\0' || rules->rate_count > 0) {
        return true;
    }
    const char *first = gather->subscriptions[0].currency;
    for (size_t i = 1; i < gather->count; i++) {
        const char *currency = gather->subscriptions[i].currency;
        if (strcmp(currency, first) != 0) {
            return proto_fault_set(fault, PROTO_BAD_FIELD, "rules.currency",
                                   "amounts are in %s and %s; the rules need currency=%s and "
                                   "rate-%s=…, what one %s is worth",
                                   first, currency, first, currency, currency);
        }
    }
    memcpy(rules->base, first, sizeof rules->base);
    return true;
}

bool lifecycle_gather_settle(const struct lifecycle_gather *gather, struct measure_rules *rules,
                             struct proto_fault *fault)
{
    if (gather->count == 0) {
        return proto_fault_set(fault, PROTO_NO_EVIDENCE, "",
                               "no subscription is told of the %u accounts that were looked at",
                               gather->accounts);
    }
    if (!currency_settle(gather, rules, fault)) {
        return false;
    }
    for (size_t i = 0; i < gather->count; i++) {
        const struct measure_subscription *s = &gather->subscriptions[i];
        if (i % SUBSCRIPTIONS_PER_ASKING == 0 && !engine_scan_goes_on(gather->job, fault)) {
            return false;
        }
        if (!measure_subscription_check(s, gather->accounts, rules, fault)) {
            return lifecycle_fault_of(gather->worker, gather->slots[s->account], fault);
        }
    }
    return true;
}
