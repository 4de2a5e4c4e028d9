/* SPDX-License-Identifier: Apache-2.0 */
/* A walk over the accounts: the events of each that the policy asks for become cases, and when all
 * are there the day of looking is known and they are counted. A timeline that is damaged, amounts
 * that cannot be measured, a policy that names what is not there end it: no label is better than
 * one with accounts missing. */
#include "server/lifecycle/lifecycle_label.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/engine/expression.h"
#include "server/engine/walk.h"
#include "server/feature/span_text.h"
#include "server/lifecycle/lifecycle_collect.h"

#define SUBJECT_CHUNK_BYTES ((size_t)1 << 20)

struct labelling {
    struct engine_worker *worker;
    const struct lifecycle_label_request *request;
    const struct feature_field *field; /* of the moment; NULL: none */
    struct lifecycle_collect collect;
    struct measure_cases cases;
    struct lifecycle_label *label;
};

static bool no_memory(struct proto_fault *fault, size_t count)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu cases", count);
}

static uint32_t types_of(const struct measure_policy *policy)
{
    uint32_t types = policy->reads_revenue ? UINT32_C(1) << EVENT_SUBSCRIPTION : 0;
    for (size_t m = 0; m < policy->match_count; m++) {
        enum event_type type = policy->matches[m].type;
        types |= type < EVENT_TYPE_COUNT ? UINT32_C(1) << type : 0;
    }
    return types;
}

static bool field_find(struct labelling *labelling, struct proto_fault *fault)
{
    const struct measure_policy *policy = labelling->request->policy;
    const struct feature_schema *schema = labelling->worker->state->schema;
    char shown[FEATURE_SHOWN_BYTES];
    if (policy->moment != MEASURE_MOMENT_FIELD) {
        return true;
    }
    const struct feature_field *field =
        schema != NULL ? feature_schema_find(schema, policy->moment_field) : NULL;
    if (field == NULL || field->type != FEATURE_DATE) {
        char names[200] = "none";
        size_t used = 0;
        for (size_t i = 0; schema != NULL && i < schema->field_count && used < sizeof names; i++) {
            if (schema->fields[i].type == FEATURE_DATE) {
                used += (size_t)snprintf(names + used, sizeof names - used, "%s%s",
                                         used > 0 ? ", " : "", schema->fields[i].name);
            }
        }
        return proto_fault_set(fault, PROTO_BAD_FIELD, "policy",
                               "the moment: '%s' is no date field of the schema; of those there "
                               "are: %s",
                               feature_text_show(policy->moment_field, shown, sizeof shown), names);
    }
    labelling->field = field;
    return true;
}

static bool field_time(struct labelling *labelling, uint32_t slot, int64_t *ms,
                       struct proto_fault *fault)
{
    struct engine_worker *worker = labelling->worker;
    *ms = MEASURE_NEVER;
    if (labelling->field == NULL) {
        return true;
    }
    if (!engine_values(worker, slot, NULL, fault)) {
        return lifecycle_fault_of(worker, slot, fault);
    }
    const struct feature_value *value = &worker->values[labelling->field->id];
    if (value->present && value->type == FEATURE_DATE) {
        *ms = (int64_t)value->number;
    }
    return true;
}

/* The spells of the account, in a currency of its own where the rules name none. */
static bool spells_make(struct labelling *labelling, uint32_t slot, struct measure_spells *spells,
                        struct proto_fault *fault)
{
    struct lifecycle_collect *collect = &labelling->collect;
    struct measure_rules rules = labelling->request->policy->rules;
    size_t count = 0;
    struct measure_subscription *subscriptions =
        measure_events_subscriptions(collect->events, collect->count, &count, fault);
    bool good = subscriptions != NULL;
    if (good && count > 0 && rules.base[0] == '\0' && rules.rate_count == 0) {
        memcpy(rules.base, subscriptions[0].currency, sizeof rules.base);
    }
    for (size_t i = 0; good && i < count; i++) {
        good = measure_subscription_check(&subscriptions[i], 1, &rules, fault) ||
               lifecycle_fault_of(labelling->worker, slot, fault);
    }
    good = good && measure_spells_make(subscriptions, count, 1, &rules, spells, fault);
    free(subscriptions);
    return good;
}

/* The kind met last stands in front, so that one look is enough for most. */
static void kind_keep(struct lifecycle_label *label, const struct event *event)
{
    struct lifecycle_kind *kinds = label->kinds;
    size_t at = 0;
    while (at < label->kind_count &&
           (kinds[at].type != (uint8_t)event->type ||
            !proto_span_equal((struct proto_span){(uint8_t *)kinds[at].text, kinds[at].bytes},
                              event->kind))) {
        at++;
    }
    if (at == 0 && label->kind_count > 0) {
        return;
    }
    if (at == label->kind_count) {
        if (at == LIFECYCLE_KINDS_MAX || event->kind.bytes == 0 ||
            event->kind.bytes > sizeof kinds[0].text) {
            return;
        }
        kinds[at].type = (uint8_t)event->type;
        kinds[at].bytes = (uint8_t)event->kind.bytes;
        memcpy(kinds[at].text, event->kind.data, event->kind.bytes);
        label->kind_count++;
    }
    struct lifecycle_kind met = kinds[at];
    kinds[at] = kinds[0];
    kinds[0] = met;
}

static bool room_make(struct lifecycle_label *label, size_t more, struct proto_fault *fault)
{
    if (label->count + more <= label->room) {
        return true;
    }
    size_t room = label->room * 2 + more + 1024;
    struct lifecycle_case *grown = NULL;
    if (label->count + more <= LIFECYCLE_CASES_MAX) {
        grown = realloc(label->cases, room * sizeof *grown);
    }
    if (grown == NULL) {
        return no_memory(fault, room);
    }
    label->cases = grown;
    label->room = room;
    return true;
}

static bool cases_keep(struct labelling *labelling, uint32_t slot, struct proto_fault *fault)
{
    struct lifecycle_label *label = labelling->label;
    const struct measure_cases *cases = &labelling->cases;
    if (!room_make(label, cases->count, fault)) {
        return false;
    }
    for (size_t i = 0; i < cases->count; i++) {
        const struct measure_case *one = &cases->items[i];
        struct proto_span subject = {NULL, 0};
        if (labelling->request->subjects && one->subject.bytes > 0) {
            const char *copy = base_arena_text(&label->subjects, one->subject);
            subject = (struct proto_span){(const uint8_t *)copy, one->subject.bytes};
        }
        uint32_t stage = 0;
        if (one->stage.bytes > 0 &&
            !lifecycle_name_number(&label->stages, one->stage, &stage, fault)) {
            return false;
        }
        label->cases[label->count++] =
            (struct lifecycle_case){.slot = slot,
                                    .archetype = (uint32_t)one->archetype,
                                    .moment_ms = one->moment_ms,
                                    .settled_ms = one->settled_ms,
                                    .subject = subject,
                                    .stage = stage};
    }
    return base_arena_ok(&label->subjects) || no_memory(fault, label->count);
}

static bool account_label(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    struct labelling *labelling = context;
    struct lifecycle_collect *collect = &labelling->collect;
    const struct measure_policy *policy = labelling->request->policy;
    struct measure_spells spells = {.accounts = 0};
    struct measure_story story = {.spells = policy->reads_revenue ? &spells : NULL};
    (void)raw;
    if (!field_time(labelling, slot, &story.field_ms, fault) ||
        !lifecycle_collect_account(collect, slot, 0, fault)) {
        return false;
    }
    for (size_t i = 0; i < collect->count; i++) {
        kind_keep(labelling->label, collect->events[i].event);
    }
    bool good = !policy->reads_revenue || spells_make(labelling, slot, &spells, fault);
    story.events = collect->events;
    story.event_count = collect->count;
    good = good && measure_policy_cases(policy, &story, &labelling->cases, fault) &&
           cases_keep(labelling, slot, fault);
    measure_spells_fini(&spells);
    labelling->label->accounts++;
    labelling->label->without += labelling->cases.count == 0;
    return good;
}

static void cases_count(const struct lifecycle_label_request *request,
                        struct lifecycle_label *label)
{
    for (size_t i = 0; i < label->count; i++) {
        const struct lifecycle_case *one = &label->cases[i];
        if (lifecycle_case_open(label, one)) {
            label->open++;
            continue;
        }
        label->of[one->archetype]++;
        label->positives += request->policy->positive >> one->archetype & 1;
        label->negatives += request->policy->negative >> one->archetype & 1;
    }
}

/* Whether the policy as it is written asks for it, and no match before says the same. */
static bool is_told_first(const struct lifecycle_label *label, const struct measure_policy *policy,
                          size_t match)
{
    const struct measure_match *wanted = &policy->matches[match];
    bool first = !policy->by_stage || match != policy->end_match;
    for (size_t m = 0; m < match && first; m++) {
        first = label->seen[m] > 0 || policy->matches[m].type != wanted->type ||
                !proto_span_equal(policy->matches[m].kind, wanted->kind);
    }
    return first;
}

bool lifecycle_label_unseen(const struct lifecycle_label *label,
                            const struct measure_policy *policy, size_t match, char *out,
                            size_t out_bytes)
{
    const struct measure_match *wanted = &policy->matches[match];
    char shown[FEATURE_SHOWN_BYTES];
    if (wanted->type >= EVENT_TYPE_COUNT || label->seen[match] > 0 ||
        !is_told_first(label, policy, match)) {
        return false;
    }
    const char *type = event_type_name(wanted->type);
    int used = snprintf(out, out_bytes, "no event %s%s%s as the policy asks for is told; ", type,
                        wanted->kind.bytes > 0 ? ":" : "",
                        feature_text_show(wanted->kind, shown, sizeof shown));
    const char *between = "";
    for (size_t i = 0; i < label->kind_count && used > 0 && (size_t)used < out_bytes; i++) {
        const struct lifecycle_kind *kind = &label->kinds[i];
        struct proto_span text = {(const uint8_t *)kind->text, kind->bytes};
        if (kind->type == (uint8_t)wanted->type) {
            used += snprintf(out + used, out_bytes - (size_t)used, "%s%s",
                             between[0] == '\0' ? "there are " : between,
                             feature_text_show(text, shown, sizeof shown));
            between = ", ";
        }
    }
    if (between[0] == '\0' && used > 0 && (size_t)used < out_bytes) {
        (void)snprintf(out + used, out_bytes - (size_t)used, "none of %s is", type);
    }
    return true;
}

static bool label_settle(const struct labelling *labelling, struct proto_fault *fault)
{
    struct lifecycle_label *label = labelling->label;
    const struct lifecycle_label_request *request = labelling->request;
    char unseen[300] = "no account has the moment";
    label->events = labelling->collect.known;
    label->at_ms = request->at_ms != MEASURE_NEVER                 ? request->at_ms
                   : labelling->collect.happened_ms > EVENT_MS_MIN ? labelling->collect.happened_ms
                                                                   : EVENT_MS_MIN;
    memcpy(label->seen, labelling->cases.seen, sizeof label->seen);
    label->ended = labelling->cases.ended;
    cases_count(request, label);
    if (label->count > 0) {
        return true;
    }
    (void)lifecycle_label_unseen(label, request->policy, 0, unseen, sizeof unseen);
    return proto_fault_set(fault, PROTO_NO_EVIDENCE, "policy",
                           "no case begins with any of the %llu accounts that were looked at: %s",
                           (unsigned long long)label->accounts, unseen);
}

bool lifecycle_label(struct engine_worker *worker, const struct engine_job *job,
                     const struct lifecycle_label_request *request, struct lifecycle_label *label,
                     struct proto_fault *fault)
{
    struct labelling labelling = {.worker = worker, .request = request, .label = label};
    struct engine_expression expression;
    uint64_t seq = engine_worker_seq(worker);
    *label = (struct lifecycle_label){.seq = request->as_of.seq < seq ? request->as_of.seq : seq};
    base_arena_init(&label->subjects, SUBJECT_CHUNK_BYTES, LIFECYCLE_SUBJECT_BYTES_MAX);
    if (!field_find(&labelling, fault) ||
        !engine_expression_open(worker, request->filter, request->icp, false, &expression, fault)) {
        return false;
    }
    lifecycle_collect_init(&labelling.collect, worker, job, &request->as_of,
                           types_of(request->policy));
    labelling.collect.whole = true;
    bool scores = expression.filter && filter_reads_score(expression.filter);
    struct engine_walk walk = {.worker = worker,
                               .job = job,
                               .filter = expression.filter,
                               .document = scores ? expression.document : NULL,
                               .context = &labelling,
                               .each = account_label};
    bool good = engine_walk(&walk, fault) && label_settle(&labelling, fault);
    engine_expression_close(&expression);
    lifecycle_collect_fini(&labelling.collect);
    measure_cases_fini(&labelling.cases);
    return good;
}

void lifecycle_label_fini(struct lifecycle_label *label)
{
    free(label->cases);
    base_arena_fini(&label->subjects);
    lifecycle_names_fini(&label->stages);
    *label = (struct lifecycle_label){.count = 0};
}
