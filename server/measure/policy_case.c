/* SPDX-License-Identifier: Apache-2.0 */
/* Of the events of an account those that the policy asks for are put in order once; each case is
 * then a few binary searches in them. A condition gives what it comes to and when that is settled,
 * an archetype holds when the last of its conditions does and falls with the first that does not,
 * and a case is settled when one archetype holds and all before it have fallen. What never happens
 * is settled when the case matures. Only memory can run out. */
#include "server/measure/policy.h"

#include <math.h>
#include <stdlib.h>

#include "server/event/event_money.h"
#include "server/measure/movement.h"

/* An event that a match asks for. */
struct measure_hit {
    struct proto_span subject; /* empty where the match is of the account */
    struct proto_span kind;
    int64_t time_ms;
    int64_t quantity;
};

struct verdict {
    int64_t settled_ms;
    bool holds;
};

/* One case under way. */
struct trial {
    const struct measure_policy *policy;
    const struct measure_story *story;
    const struct measure_cases *cases;
    struct proto_span subject;
    int64_t moment_ms;
    int64_t mature_ms;
};

int64_t measure_wait_later(struct measure_wait wait, int64_t at_ms)
{
    int64_t later = at_ms;
    if (wait.months > 0 && !measure_months_later(at_ms, (int)wait.months, &later)) {
        return EVENT_MS_MAX;
    }
    later += (int64_t)wait.days * MEASURE_DAY_MS;
    return later < EVENT_MS_MAX ? later : EVENT_MS_MAX;
}

static bool text_fits(struct proto_span wanted, struct proto_span text)
{
    return wanted.bytes == 0 || proto_span_equal(wanted, text);
}

static bool match_fits(const struct measure_match *match, const struct event *event)
{
    return event->type == match->type && text_fits(match->kind, event->kind) &&
           text_fits(match->source, event->source) && text_fits(match->label, event->label) &&
           text_fits(match->motion, event->motion) && text_fits(match->function, event->function) &&
           text_fits(match->campaign, event->campaign) && text_fits(match->person, event->person);
}

static int hit_order(const struct measure_hit *hit, struct proto_span subject, int64_t time_ms)
{
    int order = proto_span_compare(hit->subject, subject);
    return order != 0 ? order : (hit->time_ms > time_ms) - (hit->time_ms < time_ms);
}

static int by_subject_and_time(const void *left, const void *right)
{
    const struct measure_hit *a = left;
    const struct measure_hit *b = right;
    int order = hit_order(a, b->subject, b->time_ms);
    return order != 0 ? order : (a->quantity > b->quantity) - (a->quantity < b->quantity);
}

/* Moments by stage: of each subject stage after stage, the first entry in front. */
static int by_subject_and_stage(const void *left, const void *right)
{
    const struct measure_hit *a = left;
    const struct measure_hit *b = right;
    int order = proto_span_compare(a->subject, b->subject);
    order = order != 0 ? order : proto_span_compare(a->kind, b->kind);
    return order != 0 ? order : by_subject_and_time(left, right);
}

static bool hit_add(struct measure_cases *cases, const struct measure_match *match,
                    const struct event *event)
{
    if (cases->hit_count == cases->hit_room) {
        size_t room = cases->hit_room * 2 + 64;
        struct measure_hit *grown = realloc(cases->hits, room * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        cases->hits = grown;
        cases->hit_room = room;
    }
    cases->hits[cases->hit_count++] = (struct measure_hit){
        .subject = match->of_account ? (struct proto_span){NULL, 0} : event->subject,
        .kind = event->kind,
        .time_ms = event->time_ms,
        .quantity = event->quantity};
    return true;
}

static bool hits_find(const struct measure_policy *policy, const struct measure_story *story,
                      struct measure_cases *cases)
{
    cases->hit_count = 0;
    for (size_t m = 0; m < policy->match_count; m++) {
        size_t first = cases->first[m] = cases->hit_count;
        for (size_t i = 0; i < story->event_count; i++) {
            const struct event *event = story->events[i].event;
            if (match_fits(&policy->matches[m], event) &&
                !hit_add(cases, &policy->matches[m], event)) {
                return false;
            }
        }
        size_t found = cases->hit_count - first;
        cases->seen[m] += found;
        if (found > 1) {
            qsort(cases->hits + first, found, sizeof *cases->hits,
                  m == 0 && policy->by_stage ? by_subject_and_stage : by_subject_and_time);
        }
    }
    cases->first[policy->match_count] = cases->hit_count;
    return true;
}

/* The first hit of the match, of the case's subject, that is not before that time: its place, and
 * where the hits of the match end. */
static size_t hit_from(const struct trial *trial, uint32_t match, int64_t from_ms, size_t *end,
                       struct proto_span *subject)
{
    const struct measure_cases *cases = trial->cases;
    size_t low = cases->first[match];
    size_t high = *end = cases->first[match + 1];
    *subject =
        trial->policy->matches[match].of_account ? (struct proto_span){NULL, 0} : trial->subject;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool before = hit_order(&cases->hits[middle], *subject, from_ms) < 0;
        low = before ? middle + 1 : low;
        high = before ? high : middle;
    }
    return low;
}

/* When the n-th of them happened, from 1; MEASURE_NEVER: it did not. */
static int64_t hit_time(const struct trial *trial, uint32_t match, int64_t from_ms, uint32_t n)
{
    size_t end = 0;
    struct proto_span subject;
    size_t at = hit_from(trial, match, from_ms, &end, &subject);
    if (end - at < n || !proto_span_equal(trial->cases->hits[at + n - 1].subject, subject)) {
        return MEASURE_NEVER;
    }
    return trial->cases->hits[at + n - 1].time_ms;
}

/* The first moment from then on at which the account is a customer. */
static int64_t customer_from(const struct measure_spells *spells, int64_t from_ms)
{
    int64_t first = MEASURE_NEVER;
    for (size_t i = 0; spells != NULL && i < spells->count; i++) {
        const struct measure_spell *spell = &spells->items[i];
        int64_t at = spell->from_ms > from_ms ? spell->from_ms : from_ms;
        if (at < spell->to_ms && at < first) {
            first = at;
        }
    }
    return first;
}

static int64_t anchor_of(const struct trial *trial, const struct measure_condition *condition)
{
    switch (condition->anchor) {
    case MEASURE_FROM_MOMENT:
        return trial->moment_ms;
    case MEASURE_FROM_CUSTOMER:
        return customer_from(trial->story->spells, trial->moment_ms);
    case MEASURE_FROM_EVENT:
        return hit_time(trial, condition->anchor_match, trial->moment_ms, 1);
    }
    return MEASURE_NEVER;
}

/* The last answer by then in whole points. */
static double nps_at(const struct trial *trial, int64_t at_ms)
{
    const struct measure_hit *hits = trial->cases->hits;
    size_t end = 0;
    struct proto_span subject;
    uint32_t match = trial->policy->nps_match;
    size_t after = hit_from(trial, match, at_ms + 1, &end, &subject);
    return after > trial->cases->first[match] ? (double)hits[after - 1].quantity / 1000.0
                                              : MEASURE_NAN;
}

static double mrr_units(const struct measure_policy *policy, int64_t minor)
{
    double unit = 1;
    unsigned digits = event_money_digits(proto_span_text(policy->rules.base));
    for (unsigned i = 0; i < digits; i++) {
        unit *= 10;
    }
    return (double)minor / unit;
}

static double measure_at(const struct trial *trial, enum measure_policy_measure measure,
                         int64_t from_ms, int64_t at_ms)
{
    const struct measure_spells *spells = trial->story->spells;
    bool customer = false;
    if (measure == MEASURE_OF_NPS) {
        return nps_at(trial, at_ms);
    }
    if (spells == NULL) { /* nothing was ever paid */
        return measure == MEASURE_OF_CUSTOMER || measure == MEASURE_OF_MRR ? 0 : MEASURE_NAN;
    }
    int64_t now = measure_account_at(spells, 0, at_ms, &customer);
    int64_t then = measure_account_at(spells, 0, from_ms, NULL);
    double ratio = then > 0 ? (double)now / (double)then : MEASURE_NAN;
    switch (measure) {
    case MEASURE_OF_CUSTOMER:
        return customer;
    case MEASURE_OF_MRR:
        return mrr_units(trial->policy, now);
    case MEASURE_OF_GRR:
        return ratio > 1 ? 1 : ratio;
    default:
        return ratio;
    }
}

/* A number that is not defined compares with nothing. */
static bool compares(const struct measure_condition *condition, double value)
{
    switch (condition->comparison) {
    case MEASURE_COMPARE_NONE:
        return value > 0;
    case MEASURE_COMPARE_ABOVE:
        return value > condition->than;
    case MEASURE_COMPARE_BELOW:
        return value < condition->than;
    case MEASURE_COMPARE_AT_LEAST:
        return value >= condition->than;
    case MEASURE_COMPARE_AT_MOST:
        return value <= condition->than;
    }
    return false;
}

static struct verdict condition_judge(const struct trial *trial,
                                      const struct measure_condition *condition)
{
    int64_t from = anchor_of(trial, condition);
    if (from == MEASURE_NEVER || from > trial->mature_ms) {
        return (struct verdict){trial->mature_ms + 1, false};
    }
    int64_t until = condition->waits ? measure_wait_later(condition->wait, from) : trial->mature_ms;
    if (condition->is_measure) {
        double value = measure_at(trial, condition->measure, from, until);
        bool defined = !isnan(value);
        return (struct verdict){until, defined && compares(condition, value) != condition->negated};
    }
    int64_t hit = hit_time(trial, condition->match, from, condition->least);
    bool happened = hit != MEASURE_NEVER && hit <= until;
    return (struct verdict){happened ? hit : until + 1, happened != condition->negated};
}

/* It falls with the first condition that does not hold, else it holds with the last that does. */
static struct verdict archetype_judge(const struct trial *trial,
                                      const struct measure_archetype *archetype)
{
    struct verdict falls = {MEASURE_NEVER, false};
    struct verdict holds = {INT64_MIN, true};
    for (size_t i = 0; i < archetype->condition_count; i++) {
        struct verdict verdict = condition_judge(trial, &archetype->conditions[i]);
        if (!verdict.holds && verdict.settled_ms < falls.settled_ms) {
            falls = verdict;
        }
        if (verdict.holds && verdict.settled_ms > holds.settled_ms) {
            holds = verdict;
        }
    }
    return falls.settled_ms != MEASURE_NEVER ? falls : holds;
}

static struct measure_case case_judge(const struct trial *trial)
{
    const struct measure_policy *policy = trial->policy;
    struct measure_case judged = {.subject = trial->subject,
                                  .moment_ms = trial->moment_ms,
                                  .settled_ms = trial->mature_ms,
                                  .archetype = policy->archetype_count};
    for (size_t a = 0; a < policy->archetype_count; a++) {
        struct verdict verdict = archetype_judge(trial, &policy->archetypes[a]);
        judged.settled_ms =
            verdict.settled_ms > judged.settled_ms ? verdict.settled_ms : judged.settled_ms;
        if (verdict.holds) {
            judged.archetype = a;
            break;
        }
    }
    return judged;
}

static bool case_add(struct measure_cases *cases, struct trial *trial, struct proto_span subject,
                     int64_t moment_ms)
{
    if (cases->count == cases->room) {
        size_t room = cases->room * 2 + 16;
        struct measure_case *grown = realloc(cases->items, room * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        cases->items = grown;
        cases->room = room;
    }
    trial->subject = subject;
    trial->moment_ms = moment_ms;
    trial->mature_ms = measure_wait_later(trial->policy->maturity, moment_ms);
    cases->items[cases->count++] = case_judge(trial);
    return true;
}

/* The first event of the moment of each subject that has one. */
static bool subjects_judge(struct measure_cases *cases, struct trial *trial)
{
    const struct proto_span *before = NULL;
    for (size_t i = cases->first[0]; i < cases->first[1]; i++) {
        const struct measure_hit *hit = &cases->hits[i];
        bool first = before == NULL || !proto_span_equal(*before, hit->subject);
        before = &hit->subject;
        if (first && hit->subject.bytes > 0 &&
            !case_add(cases, trial, hit->subject, hit->time_ms)) {
            return false;
        }
    }
    return true;
}

/* The first entry of each stage of each subject, but where that had ended by then. */
static bool stages_judge(struct measure_cases *cases, struct trial *trial)
{
    const struct measure_hit *before = NULL;
    for (size_t i = cases->first[0]; i < cases->first[1]; i++) {
        const struct measure_hit *hit = &cases->hits[i];
        bool first = before == NULL || !proto_span_equal(before->subject, hit->subject) ||
                     !proto_span_equal(before->kind, hit->kind);
        before = hit;
        if (!first || hit->subject.bytes == 0 || hit->kind.bytes == 0) {
            continue;
        }
        trial->subject = hit->subject;
        if (hit_time(trial, trial->policy->end_match, EVENT_MS_MIN, 1) <= hit->time_ms) {
            cases->ended++;
            continue;
        }
        if (!case_add(cases, trial, hit->subject, hit->time_ms)) {
            return false;
        }
        cases->items[cases->count - 1].stage = hit->kind;
    }
    return true;
}

static int64_t account_moment(const struct trial *trial)
{
    const struct measure_cases *cases = trial->cases;
    switch (trial->policy->moment) {
    case MEASURE_MOMENT_EVENT:
        return cases->first[1] > cases->first[0] ? cases->hits[cases->first[0]].time_ms
                                                 : MEASURE_NEVER;
    case MEASURE_MOMENT_CUSTOMER:
        return customer_from(trial->story->spells, INT64_MIN);
    case MEASURE_MOMENT_FIELD:
        return trial->story->field_ms;
    }
    return MEASURE_NEVER;
}

bool measure_policy_cases(const struct measure_policy *policy, const struct measure_story *story,
                          struct measure_cases *cases, struct proto_fault *fault)
{
    struct trial trial = {.policy = policy, .story = story, .cases = cases};
    cases->count = 0;
    bool good = hits_find(policy, story, cases);
    if (good && policy->by_subject) {
        good = policy->by_stage ? stages_judge(cases, &trial) : subjects_judge(cases, &trial);
    } else if (good) {
        int64_t moment = account_moment(&trial);
        good = moment == MEASURE_NEVER ||
               case_add(cases, &trial, (struct proto_span){NULL, 0}, moment);
    }
    return good || proto_fault_set(fault, PROTO_NO_MEMORY, "",
                                   "no memory for the cases of %zu "
                                   "events",
                                   story->event_count);
}

void measure_cases_fini(struct measure_cases *cases)
{
    free(cases->items);
    free(cases->hits);
    cases->items = NULL;
    cases->hits = NULL;
    cases->count = cases->room = cases->hit_count = cases->hit_room = 0;
}
