/* SPDX-License-Identifier: Apache-2.0 */
/* Each account that matches is read twice: its values, if segments or flags are asked for, and its
 * timeline. Any account that cannot be read ends it all. */
#include "server/lifecycle/lifecycle_gather.h"

#include <stdlib.h>

#include "server/engine/expression.h"
#include "server/feature/span_text.h"

/* Four times the names there may be, so that a look-up ends soon. */
#define NAME_SLOTS (4u * MEASURE_SEGMENTS_MAX)

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

static uint32_t hash_of(struct proto_span text)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < text.bytes; i++) {
        hash = (hash ^ text.data[i]) * 16777619u;
    }
    return hash;
}

/* The number of a segment, made if it is new. */
static bool segment_number(struct lifecycle_gather *gather, struct proto_span text,
                           uint32_t *number, struct proto_fault *fault)
{
    uint32_t at = hash_of(text) % NAME_SLOTS;
    for (; gather->name_slots[at] != 0; at = (at + 1) % NAME_SLOTS) {
        *number = gather->name_slots[at] - 1;
        if (proto_span_is(text, gather->names[*number])) {
            return true;
        }
    }
    if (gather->name_count == MEASURE_SEGMENTS_MAX) {
        return proto_fault_set(fault, PROTO_LIMIT, "by",
                               "the field has more than %d values; that is no segment",
                               MEASURE_SEGMENTS_MAX - 1);
    }
    char *name = feature_text_copy(text);
    if (name == NULL) {
        return no_memory(fault, "segments", gather->name_count);
    }
    *number = gather->name_count;
    gather->names[gather->name_count++] = name;
    gather->name_slots[at] = *number + 1;
    return true;
}

/* The text of a value of one of the types that make segments. */
static struct proto_span value_text(const struct feature_value *value,
                                    char number[FEATURE_NUMBER_TEXT_BYTES])
{
    if (value->type == FEATURE_CATEGORY) {
        return value->text;
    }
    if (value->type == FEATURE_FLAG) {
        return proto_span_text(value->flag ? "true" : "false");
    }
    size_t bytes = feature_number_print(value->number, number);
    return (struct proto_span){(const uint8_t *)number, bytes};
}

/* Segment and flag of the account under way, by its values. */
static bool values_read(struct lifecycle_gather *gather, uint32_t slot, struct proto_fault *fault)
{
    struct engine_worker *worker = gather->worker;
    uint32_t account = gather->accounts;
    char number[FEATURE_NUMBER_TEXT_BYTES];
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
    const struct feature_value *value = gather->by ? &worker->values[gather->by->id] : NULL;
    return value == NULL || !value->present ||
           segment_number(gather, value_text(value, number), &gather->segments[account], fault);
}

static bool churned_keep(struct lifecycle_gather *gather, const struct event *event,
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
    gather->churned_ms[gather->churned_count++] = event->time_ms;
    return true;
}

static bool subscriptions_keep(struct lifecycle_gather *gather,
                               const struct measure_subscription *made, size_t count,
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
    memcpy(gather->subscriptions + gather->count, made, count * sizeof *made);
    gather->count += count;
    return true;
}

static bool events_fold(struct lifecycle_gather *gather, struct proto_fault *fault)
{
    struct lifecycle_collect *collect = &gather->collect;
    size_t made = 0;
    for (size_t i = 0; i < collect->count; i++) {
        const struct event *event = collect->events[i].event;
        if (event->type == EVENT_OUTCOME && proto_span_is(event->kind, "churned") &&
            !churned_keep(gather, event, fault)) {
            return false;
        }
    }
    if (collect->count == 0) {
        return true;
    }
    struct measure_subscription *subscriptions =
        measure_events_subscriptions(collect->events, collect->count, &made, fault);
    bool good = subscriptions != NULL && subscriptions_keep(gather, subscriptions, made, fault);
    free(subscriptions);
    return good;
}

static bool account_add(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    struct lifecycle_gather *gather = context;
    (void)raw;
    if (!account_room(gather, fault) || !values_read(gather, slot, fault) ||
        !lifecycle_collect_account(&gather->collect, slot, gather->accounts, fault) ||
        !events_fold(gather, fault)) {
        return false;
    }
    gather->slots[gather->accounts++] = slot;
    return true;
}

/* The field of that name if it is of one of the types. */
static bool field_find(struct lifecycle_gather *gather, struct proto_span name, const char *member,
                       bool flags_alone, const struct feature_field **found,
                       struct proto_fault *fault)
{
    const struct feature_schema *schema = gather->worker->state->schema;
    char shown[FEATURE_SHOWN_BYTES];
    *found = NULL;
    if (name.bytes == 0) {
        return true;
    }
    const struct feature_field *field = schema != NULL ? feature_schema_find(schema, name) : NULL;
    if (field == NULL) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, member, "the schema has no field '%s'",
                               feature_text_show(name, shown, sizeof shown));
    }
    bool fits =
        field->type == FEATURE_FLAG ||
        (!flags_alone && (field->type == FEATURE_CATEGORY || field->type == FEATURE_NUMBER));
    if (!fits) {
        return proto_fault_set(
            fault, PROTO_BAD_FIELD, member, "the field '%s' is of type %s; %s is wanted",
            feature_text_show(name, shown, sizeof shown), feature_type_name(field->type),
            flags_alone ? "a flag" : "a category, a flag or a number");
    }
    *found = field;
    return true;
}

/* The name of accounts without a value is no value: nobody looks it up. */
static bool names_begin(struct lifecycle_gather *gather, struct proto_fault *fault)
{
    gather->names = calloc(MEASURE_SEGMENTS_MAX, sizeof *gather->names);
    gather->name_slots = calloc(NAME_SLOTS, sizeof *gather->name_slots);
    char *none = strdup("(none)");
    if (gather->names == NULL || gather->name_slots == NULL || none == NULL) {
        free(none);
        return no_memory(fault, "segments", MEASURE_SEGMENTS_MAX);
    }
    gather->names[gather->name_count++] = none;
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

bool lifecycle_gather(struct engine_worker *worker, const struct engine_job *job,
                      const struct lifecycle_request *request, struct lifecycle_gather *gather,
                      struct proto_fault *fault)
{
    *gather = (struct lifecycle_gather){.worker = worker, .job = job};
    lifecycle_collect_init(&gather->collect, worker, job, &request->as_of,
                           UINT32_C(1) << EVENT_SUBSCRIPTION | UINT32_C(1) << EVENT_OUTCOME);
    return field_find(gather, request->by, "by", false, &gather->by, fault) &&
           field_find(gather, request->churn_flag, "churn_flag", true, &gather->churn_flag,
                      fault) &&
           (gather->by == NULL || names_begin(gather, fault)) &&
           lifecycle_walk(worker, job, request, gather, account_add, fault);
}

void lifecycle_gather_fini(struct lifecycle_gather *gather)
{
    lifecycle_collect_fini(&gather->collect);
    for (uint32_t i = 0; i < gather->name_count; i++) {
        free(gather->names[i]);
    }
    free(gather->names);
    free(gather->name_slots);
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
        if (!measure_subscription_check(s, gather->accounts, rules, fault)) {
            return lifecycle_fault_of(gather->worker, gather->slots[s->account], fault);
        }
    }
    return true;
}
