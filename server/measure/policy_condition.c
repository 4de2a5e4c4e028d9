/* SPDX-License-Identifier: Apache-2.0 */
/* A condition of a policy: of events or of a measure, each with members of its own; what is missing
 * or stands with the other kind is told with what there is. */
#include <stdio.h>
#include <string.h>

#include "server/feature/span_text.h"
#include "server/measure/movement.h"
#include "server/measure/policy_parts.h"

struct measure_row {
    const char *name;
    bool bare;
};

static const struct measure_row measure_rows[MEASURE_OF_COUNT] = {
#define X(NAME, name, bare, meaning) {name, bare},
#include "server/measure/policy_measure.def"
#undef X
};

static const struct {
    const char *name;
    enum measure_comparison comparison;
} comparisons[] = {{"above", MEASURE_COMPARE_ABOVE},
                   {"below", MEASURE_COMPARE_BELOW},
                   {"at_least", MEASURE_COMPARE_AT_LEAST},
                   {"at_most", MEASURE_COMPARE_AT_MOST}};
#define COMPARISONS (sizeof comparisons / sizeof *comparisons)

static bool bad(struct proto_fault *fault, const char *name, const char *text)
{
    return proto_fault_set(fault, PROTO_BAD_DOCUMENT, name, "%s", text);
}

bool measure_policy_text(const json_t *object, const char *name, struct proto_span *text,
                         struct proto_fault *fault)
{
    const json_t *member = json_object_get(object, name);
    if (!json_is_string(member) || json_string_length(member) == 0) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, name, "a text is wanted; here is %s",
                               json_is_string(member) ? "an empty one" : feature_json_kind(member));
    }
    *text = feature_json_span(member);
    return true;
}

bool measure_wait_read(struct proto_span text, struct measure_wait *wait)
{
    static const struct {
        const char *unit;
        uint32_t days, months;
    } units[] = {{"day", 1, 0}, {"week", 7, 0}, {"month", 0, 1}, {"year", 0, 12}};
    uint64_t number = 0;
    size_t at = 0;
    for (; at < text.bytes && at < 6 && text.data[at] >= '0' && text.data[at] <= '9'; at++) {
        number = number * 10 + (uint64_t)(text.data[at] - '0');
    }
    if (at == 0 || at == text.bytes || text.data[at] != ' ') {
        return false;
    }
    struct proto_span unit = {text.data + at + 1, text.bytes - at - 1};
    unit.bytes -= unit.bytes > 1 && unit.data[unit.bytes - 1] == 's';
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (proto_span_is(unit, units[i].unit)) {
            uint64_t days = number * units[i].days;
            uint64_t months = number * units[i].months;
            *wait = (struct measure_wait){(uint32_t)days, (uint32_t)months};
            return days <= MEASURE_WAIT_DAYS_MAX && months <= MEASURE_MONTHS_MAX;
        }
    }
    return false;
}

bool measure_policy_wait(const json_t *object, const char *name, struct measure_wait *wait,
                         struct proto_fault *fault)
{
    struct proto_span text = {NULL, 0};
    char shown[FEATURE_SHOWN_BYTES];
    return measure_policy_text(object, name, &text, fault) &&
           (measure_wait_read(text, wait) ||
            proto_fault_set(fault, PROTO_BAD_DOCUMENT, name,
                            "'%s' is no time to wait, such as \"180 days\", \"26 weeks\", \"12 "
                            "months\" or \"1 year\", a century at most",
                            feature_text_show(text, shown, sizeof shown)));
}

bool measure_policy_match(struct proto_span text, const char *name, struct measure_match *match,
                          struct proto_fault *fault)
{
    const uint8_t *colon = text.bytes > 0 ? memchr(text.data, ':', text.bytes) : NULL;
    size_t bytes = colon != NULL ? (size_t)(colon - text.data) : text.bytes;
    if (!event_type_read((struct proto_span){text.data, bytes}, name, &match->type, fault)) {
        fault->code = PROTO_BAD_DOCUMENT;
        return false;
    }
    if (match->type == EVENT_RETRACTION) {
        return bad(fault, name, "a retraction takes events back and is none that one can ask for");
    }
    if (colon != NULL) {
        match->kind = (struct proto_span){colon + 1, text.bytes - bytes - 1};
    }
    return colon == NULL || match->kind.bytes > 0 ||
           bad(fault, name, "behind the colon stands a kind, as in \"outcome:won\"");
}

static uint32_t match_add(struct measure_policy *policy, const struct measure_match *match)
{
    policy->matches[policy->match_count] = *match;
    return (uint32_t)policy->match_count++;
}

/* "moment", "customer", or an event. */
static bool anchor_read(const json_t *object, struct measure_policy *policy,
                        struct measure_condition *condition, struct proto_fault *fault)
{
    struct proto_span text = {NULL, 0};
    struct measure_match match = {.of_account = !policy->by_subject};
    if (json_object_get(object, "from") == NULL) {
        return true;
    }
    if (!measure_policy_text(object, "from", &text, fault)) {
        return false;
    }
    if (proto_span_is(text, "moment") || proto_span_is(text, "customer")) {
        bool moment = proto_span_is(text, "moment");
        condition->anchor = moment ? MEASURE_FROM_MOMENT : MEASURE_FROM_CUSTOMER;
        policy->reads_revenue |= !moment;
        return true;
    }
    if (!measure_policy_match(text, "from", &match, fault)) {
        size_t used = strlen(fault->message);
        (void)snprintf(fault->message + used, sizeof fault->message - used,
                       "; and moment, customer");
        return false;
    }
    condition->anchor = MEASURE_FROM_EVENT;
    condition->anchor_match = match_add(policy, &match);
    return true;
}

static bool texts_read(const json_t *object, struct measure_match *match, struct proto_fault *fault)
{
    struct proto_span scope = {NULL, 0};
    const struct {
        const char *name;
        struct proto_span *text;
    } texts[] = {{"source", &match->source},     {"label", &match->label},
                 {"motion", &match->motion},     {"function", &match->function},
                 {"campaign", &match->campaign}, {"person", &match->person}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (json_object_get(object, texts[i].name) != NULL &&
            !measure_policy_text(object, texts[i].name, texts[i].text, fault)) {
            return false;
        }
    }
    if (json_object_get(object, "of") == NULL) {
        return true;
    }
    if (!measure_policy_text(object, "of", &scope, fault)) {
        return false;
    }
    if (!proto_span_is(scope, "account") && !proto_span_is(scope, "case")) {
        return bad(fault, "of", "\"case\" or \"account\" is wanted");
    }
    match->of_account |= proto_span_is(scope, "account");
    return true;
}

static bool least_read(const json_t *object, uint32_t *least, struct proto_fault *fault)
{
    const json_t *member = json_object_get(object, "at_least");
    *least = 1;
    if (member == NULL) {
        return true;
    }
    if (!json_is_integer(member) || json_integer_value(member) < 1 ||
        json_integer_value(member) > PROTO_ACCOUNT_EVENTS_MAX) {
        return bad(fault, "at_least", "so many events, a whole number from 1 to 100000, is wanted");
    }
    *least = (uint32_t)json_integer_value(member);
    return true;
}

static bool event_read(const json_t *object, struct measure_policy *policy,
                       struct measure_condition *condition, struct proto_fault *fault)
{
    static const char *const members[] = {"event",    "within",   "from",   "at_least",
                                          "not",      "source",   "label",  "motion",
                                          "function", "campaign", "person", "of"};
    struct proto_span text = {NULL, 0};
    struct measure_match match = {.of_account = !policy->by_subject};
    if (!feature_json_members_known(object, members, sizeof members / sizeof *members,
                                    PROTO_BAD_DOCUMENT, fault) ||
        !measure_policy_text(object, "event", &text, fault) ||
        !measure_policy_match(text, "event", &match, fault) || !texts_read(object, &match, fault) ||
        !least_read(object, &condition->least, fault)) {
        return false;
    }
    condition->match = match_add(policy, &match);
    condition->waits = json_object_get(object, "within") != NULL;
    return !condition->waits || measure_policy_wait(object, "within", &condition->wait, fault);
}

static bool measure_find(struct proto_span text, enum measure_policy_measure *measure,
                         struct proto_fault *fault)
{
    static const char names[] =
#define X(NAME, name, bare, meaning) ", " name
#include "server/measure/policy_measure.def"
#undef X
        ;
    char shown[FEATURE_SHOWN_BYTES];
    for (int i = 0; i < MEASURE_OF_COUNT; i++) {
        if (proto_span_is(text, measure_rows[i].name)) {
            *measure = (enum measure_policy_measure)i;
            return true;
        }
    }
    return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "measure",
                           "there is no measure '%s'; there are %s",
                           feature_text_show(text, shown, sizeof shown), names + 2);
}

static bool comparison_read(const json_t *object, struct measure_condition *condition,
                            struct proto_fault *fault)
{
    for (size_t i = 0; i < COMPARISONS; i++) {
        const json_t *member = json_object_get(object, comparisons[i].name);
        if (member == NULL) {
            continue;
        }
        if (!json_is_number(member)) {
            return proto_fault_set(fault, PROTO_BAD_DOCUMENT, comparisons[i].name,
                                   "a number is wanted; here is %s", feature_json_kind(member));
        }
        if (condition->comparison != MEASURE_COMPARE_NONE) {
            return bad(fault, comparisons[i].name,
                       "a condition compares once; two bounds are two conditions");
        }
        condition->comparison = comparisons[i].comparison;
        condition->than = json_number_value(member);
    }
    bool bare = measure_rows[condition->measure].bare;
    if (bare && condition->comparison != MEASURE_COMPARE_NONE) {
        return bad(fault, "measure",
                   "it is so or is not, and compares with no number; \"not\": "
                   "true asks for the opposite");
    }
    return bare || condition->comparison != MEASURE_COMPARE_NONE ||
           bad(fault, "measure", "it needs one of above, below, at_least, at_most");
}

static bool measure_read(const json_t *object, struct measure_policy *policy,
                         struct measure_condition *condition, struct proto_fault *fault)
{
    static const char *const members[] = {"measure", "after",    "from",    "above",
                                          "below",   "at_least", "at_most", "not"};
    struct proto_span text = {NULL, 0};
    condition->is_measure = true;
    if (!feature_json_members_known(object, members, sizeof members / sizeof *members,
                                    PROTO_BAD_DOCUMENT, fault) ||
        !measure_policy_text(object, "measure", &text, fault) ||
        !measure_find(text, &condition->measure, fault) ||
        !comparison_read(object, condition, fault)) {
        return false;
    }
    if (condition->measure == MEASURE_OF_NPS) {
        policy->matches[policy->nps_match] = (struct measure_match){
            .type = EVENT_OUTCOME, .kind = proto_span_text("nps"), .of_account = true};
    } else {
        policy->reads_revenue = true;
    }
    if (condition->measure == MEASURE_OF_MRR && policy->rules.base[0] == '\0') {
        return bad(fault, "measure",
                   "an amount is of a currency: \"rules\": {\"currency\": "
                   "\"USD\"} is needed");
    }
    condition->waits = json_object_get(object, "after") != NULL;
    return !condition->waits || measure_policy_wait(object, "after", &condition->wait, fault);
}

bool measure_policy_condition(const json_t *object, struct measure_policy *policy,
                              struct measure_condition *condition, struct proto_fault *fault)
{
    const json_t *event = json_object_get(object, "event");
    const json_t *measure = json_object_get(object, "measure");
    const json_t *negated = json_object_get(object, "not");
    *condition = (struct measure_condition){.is_measure = false};
    if ((event == NULL) == (measure == NULL)) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "",
                               "a condition is of an event or of a measure: {\"event\": "
                               "\"outcome:won\", \"within\": \"180 days\"} or {\"measure\": "
                               "\"nrr\", \"after\": \"12 months\", \"above\": 1.1}");
    }
    if (negated != NULL && !json_is_boolean(negated)) {
        return bad(fault, "not", "true or false is wanted");
    }
    condition->negated = json_is_true(negated);
    return (event != NULL ? event_read(object, policy, condition, fault)
                          : measure_read(object, policy, condition, fault)) &&
           anchor_read(object, policy, condition, fault);
}
