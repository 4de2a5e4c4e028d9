/* SPDX-License-Identifier: Apache-2.0 */
/* A question is read once; then accounts are walked, and of each its events are taken from the page
 * of columns that its slot is in (lifecycle_pick.c), or from its timeline. What a question
 * cannot mean is told before the walk; that amounts are of several currencies, that there are too
 * many rows, and that a timeline is damaged within it. */
#include "server/lifecycle/lifecycle_query.h"

#include <stdlib.h>

#include "server/engine/walk.h"
#include "server/feature/span_text.h"
#include "server/lifecycle/lifecycle_asking.h"
#include "server/lifecycle/lifecycle_gather.h"
#include "server/lifecycle/lifecycle_roll.h"
#include "server/store/store.h"

/* Amounts of one currency, unless rows have one each. */
static bool currency_keep(struct lifecycle_asking *asking, const struct lifecycle_verdict *verdict,
                          struct proto_fault *fault)
{
    const struct lifecycle_query *query = asking->query;
    for (size_t i = 0; i < query->member_count; i++) {
        if (asking->members[i] == EVENT_MEMBER_CURRENCY) {
            return true;
        }
    }
    if (asking->currency == 0) {
        asking->currency = verdict->currency;
    }
    return asking->currency == verdict->currency ||
           proto_fault_set(fault, PROTO_BAD_FIELD, "sum",
                           "amounts are in %s and %s: add currency to members, or choose one with "
                           "where",
                           asking->result->texts.texts[asking->currency],
                           asking->result->texts.texts[verdict->currency]);
}

static bool event_count(struct lifecycle_asking *asking, const struct lifecycle_verdict *verdict,
                        int64_t time_ms, int64_t more, struct proto_fault *fault)
{
    const struct lifecycle_query *query = asking->query;
    struct lifecycle_group_key *key = &asking->key;
    if (time_ms < query->since_ms || time_ms >= query->until_ms) {
        return true;
    }
    key->period = query->period != LIFECYCLE_PERIOD_NONE
                      ? lifecycle_calendar_of(&asking->period, time_ms)
                      : 0;
    memcpy(key->members, verdict->members, sizeof key->members);
    struct lifecycle_group *group = asking->last;
    if (group == NULL || memcmp(&group->key, key, sizeof *key) != 0) {
        group = lifecycle_group_find(&asking->groups, key, fault);
        asking->last = group;
        if (group == NULL) {
            return false;
        }
    }
    group->events++;
    group->accounts += group->last != asking->account;
    group->last = asking->account;
    if (verdict->currency != 0 && verdict->currency != asking->currency &&
        !currency_keep(asking, verdict, fault)) {
        return false;
    }
    return !__builtin_add_overflow(group->sum, more, &group->sum) ||
           proto_fault_set(fault, PROTO_LIMIT, "sum", "a sum is beyond 64 bits");
}

static void cohort_set(struct lifecycle_asking *asking, int64_t time_ms)
{
    if (!asking->in_cohort) {
        asking->in_cohort = true;
        asking->key.cohort = asking->query->cohort != LIFECYCLE_PERIOD_NONE
                                 ? lifecycle_calendar_of(&asking->cohort, time_ms)
                                 : 0;
    }
}

static bool page_count(struct lifecycle_asking *asking, uint32_t slot, struct proto_fault *fault)
{
    const struct lifecycle_page *page = asking->page;
    uint32_t at = slot % LIFECYCLE_PAGE_SLOTS;
    enum lifecycle_sum sum = asking->query->sum;
    const int64_t *added = sum == LIFECYCLE_SUM_AMOUNT     ? asking->amounts
                           : sum == LIFECYCLE_SUM_QUANTITY ? asking->quantities
                                                           : NULL;
    for (uint32_t i = asking->picked_first[at]; i < asking->picked_first[at + 1]; i++) {
        uint32_t row = asking->picked[i];
        const struct lifecycle_verdict *verdict = &asking->verdicts[asking->shapes[row]];
        cohort_set(asking, asking->times[row]);
        if (!event_count(asking, verdict, asking->times[row], added != NULL ? added[row] : 0,
                         fault)) {
            return false;
        }
    }
    asking->result->newest_ms = page->newest_ms[at] > asking->result->newest_ms
                                    ? page->newest_ms[at]
                                    : asking->result->newest_ms;
    asking->result->of_columns = true;
    return true;
}

/* Of the timeline: the first event that matches says which cohort, then all are counted. */
static bool timeline_count(struct lifecycle_asking *asking, uint32_t slot,
                           struct proto_fault *fault)
{
    struct lifecycle_collect *collect = &asking->collect;
    enum lifecycle_sum sum = asking->query->sum;
    int64_t first_ms = INT64_MAX;
    size_t kept = 0;
    if (!lifecycle_collect_account(collect, slot, asking->account, fault)) {
        return false;
    }
    for (size_t i = 0; i < collect->count; i++) {
        const struct event *event = collect->events[i].event;
        bool in = (asking->query->types == 0 || (asking->query->types >> event->type & 1) != 0) &&
                  lifecycle_where_match(&asking->where, event);
        if (in) {
            collect->events[kept++] = collect->events[i];
            first_ms = event->time_ms < first_ms ? event->time_ms : first_ms;
        }
    }
    if (kept > 0) {
        cohort_set(asking, first_ms);
    }
    for (size_t i = 0; i < kept; i++) {
        const struct event *event = collect->events[i].event;
        struct lifecycle_verdict verdict;
        int64_t more = sum == LIFECYCLE_SUM_AMOUNT     ? event->amount
                       : sum == LIFECYCLE_SUM_QUANTITY ? event->quantity
                                                       : 0;
        if (!lifecycle_verdict_of(asking, event, true, &verdict, fault) ||
            !event_count(asking, &verdict, event->time_ms, more, fault)) {
            return false;
        }
    }
    asking->result->newest_ms = collect->newest_ms > asking->result->newest_ms
                                    ? collect->newest_ms
                                    : asking->result->newest_ms;
    return true;
}

static bool segment_set(struct lifecycle_asking *asking, uint32_t slot, struct proto_fault *fault)
{
    struct engine_worker *worker = asking->worker;
    if (asking->by == NULL) {
        return true;
    }
    if (!engine_values(worker, slot, NULL, fault)) {
        return lifecycle_fault_of(worker, slot, fault);
    }
    return lifecycle_segment_of(&asking->result->segments, worker, asking->by, &asking->key.segment,
                                fault);
}

/* An account whose segment is set. */
static bool account_count(struct lifecycle_asking *asking, uint32_t slot, struct proto_fault *fault)
{
    asking->account++;
    asking->in_cohort = false;
    asking->key.cohort = 0;
    if (!lifecycle_asking_turn(asking, slot, fault)) {
        return false;
    }
    bool kept =
        asking->page != NULL && lifecycle_page_holds(asking->page, asking->worker->view, slot);
    if (!(kept ? page_count(asking, slot, fault) : timeline_count(asking, slot, fault))) {
        return false;
    }
    if (asking->query->cohort != LIFECYCLE_PERIOD_NONE && !asking->in_cohort) {
        return true;
    }
    const struct lifecycle_group_key key = {.segment = asking->key.segment,
                                            .cohort = asking->key.cohort};
    struct lifecycle_group *base = lifecycle_group_find(&asking->bases, &key, fault);
    if (base != NULL) {
        base->accounts++;
    }
    return base != NULL;
}

static bool account_visit(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    struct lifecycle_asking *asking = context;
    (void)raw;
    return segment_set(asking, slot, fault) && account_count(asking, slot, fault);
}

/* Everybody, by the roll that is kept; *done: there is one. */
static bool roll_count(struct lifecycle_asking *asking, bool *done, struct proto_fault *fault)
{
    struct lifecycle_roll roll;
    uint32_t slots = store_view_slots(asking->worker->view);
    if (!lifecycle_roll_get(asking->columns, asking->worker, asking->job, asking->by, &roll,
                            &asking->result->segments, done, fault)) {
        return false;
    }
    bool good = true;
    for (uint32_t slot = 0; slot < slots && *done && good; slot++) {
        uint32_t at = slot % LIFECYCLE_PAGE_SLOTS;
        if (at == 0) {
            good = engine_scan_goes_on(asking->job, fault);
        }
        if (good && lifecycle_roll_lives(&roll, slot)) {
            asking->key.segment = roll.pages[slot / LIFECYCLE_PAGE_SLOTS].segments[at];
            good = account_count(asking, slot, fault);
        }
    }
    lifecycle_roll_fini(&roll);
    return good;
}

static bool accounts_count(struct lifecycle_asking *asking, struct proto_fault *fault)
{
    const struct lifecycle_query *query = asking->query;
    const struct lifecycle_request walk = {.filter = query->filter, .icp = query->icp};
    bool done = false;
    if (query->filter.bytes == 0 && !roll_count(asking, &done, fault)) {
        return false;
    }
    return done ||
           ((asking->by == NULL || lifecycle_segments_begin(&asking->result->segments, fault)) &&
            lifecycle_walk(asking->worker, asking->job, &walk, asking, account_visit, fault));
}

static bool asking_open(struct lifecycle_asking *asking, struct proto_fault *fault)
{
    const struct lifecycle_query *query = asking->query;
    struct lifecycle_query_result *result = asking->result;
    uint32_t none = 0;
    bool good = lifecycle_members_read(asking, fault) &&
                lifecycle_where_open(&asking->where, query->where, fault) &&
                lifecycle_field_find(asking->worker, query->by, "by", false, &asking->by, fault) &&
                lifecycle_name_number(&result->texts, (struct proto_span){(const uint8_t *)"", 0},
                                      &none, fault);
    if (good && !lifecycle_columns_do(asking)) {
        asking->columns = NULL;
    }
    lifecycle_calendar_init(&asking->cohort, query->cohort);
    lifecycle_calendar_init(&asking->period, query->period);
    return good;
}

static void asking_close(struct lifecycle_asking *asking)
{
    lifecycle_page_release(asking->page);
    lifecycle_collect_fini(&asking->collect);
    lifecycle_calendar_fini(&asking->cohort);
    lifecycle_calendar_fini(&asking->period);
    lifecycle_where_fini(&asking->where);
    lifecycle_groups_fini(&asking->groups);
    lifecycle_groups_fini(&asking->bases);
    lifecycle_verdicts_free(asking);
    free(asking->shapes);
    free(asking->times);
    free(asking->amounts);
    free(asking->quantities);
    free(asking->picked);
}

bool lifecycle_query(struct engine_worker *worker, const struct engine_job *job,
                     struct lifecycle_columns *columns, const struct lifecycle_query *query,
                     struct lifecycle_query_result *result, struct proto_fault *fault)
{
    struct lifecycle_asking asking = {
        .worker = worker, .job = job, .columns = columns, .query = query, .result = result};
    uint64_t seq = engine_worker_seq(worker);
    *result = (struct lifecycle_query_result){
        .seq = query->as_of.seq < seq ? query->as_of.seq : seq, .newest_ms = INT64_MIN};
    lifecycle_collect_init(&asking.collect, worker, job, &query->as_of, UINT32_MAX);
    asking.collect.whole = true;
    bool good = asking_open(&asking, fault) && accounts_count(&asking, fault) &&
                lifecycle_groups_rows(&asking.groups, &asking.bases, result, fault);
    result->accounts = asking.account;
    if (good && asking.currency != 0) {
        (void)snprintf(result->currency, sizeof result->currency, "%s",
                       result->texts.texts[asking.currency]);
    }
    asking_close(&asking);
    return good;
}

void lifecycle_query_fini(struct lifecycle_query_result *result)
{
    lifecycle_names_fini(&result->segments);
    lifecycle_names_fini(&result->texts);
    free(result->rows);
    *result = (struct lifecycle_query_result){.count = 0};
}
