/* SPDX-License-Identifier: Apache-2.0 */
/* A policy document, member by member in the order in which they need each other: rules and the
 * moment before conditions, archetypes before what is positive, all of it before the maturity that
 * follows from them. The first fault ends it, with its path, its line and its column. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/feature/json_place.h"
#include "server/feature/span_text.h"
#include "server/measure/movement.h"
#include "server/measure/policy_parts.h"

#define POLICY_FORMAT 1
#define NAME_BYTES_MAX 63
/* Where the two matches stand that every policy has. */
enum { MATCH_MOMENT, MATCH_NPS, MATCHES_ALWAYS };

static bool bad(struct proto_fault *fault, const char *name, const char *text)
{
    return proto_fault_set(fault, PROTO_BAD_DOCUMENT, name, "%s", text);
}

void measure_policy_destroy(struct measure_policy *policy)
{
    if (policy != NULL) {
        json_decref(policy->root);
        free(policy);
    }
}

struct proto_span measure_policy_archetype(const struct measure_policy *policy, size_t archetype)
{
    return archetype < policy->archetype_count ? policy->archetypes[archetype].name
                                               : proto_span_text("none");
}

static bool rules_read(const json_t *root, struct measure_policy *policy, struct proto_fault *fault)
{
    const json_t *rules = json_object_get(root, "rules");
    measure_rules_default(&policy->rules);
    if (rules == NULL) {
        return true;
    }
    if (!json_is_object(rules)) {
        return bad(fault, "rules", "an object such as {\"churn-at\": \"cancel\"} is wanted");
    }
    void *at = json_object_iter((json_t *)(uintptr_t)rules);
    for (; at != NULL; at = json_object_iter_next((json_t *)(uintptr_t)rules, at)) {
        const char *name = json_object_iter_key(at);
        struct proto_span value = {NULL, 0};
        char shown[FEATURE_SHOWN_BYTES];
        if (!measure_policy_text(rules, name, &value, fault) ||
            !measure_rules_set(&policy->rules, proto_span_text(name), value, fault)) {
            fault->code = PROTO_BAD_DOCUMENT;
            (void)snprintf(fault->field, sizeof fault->field, "rules.%s",
                           feature_text_show(proto_span_text(name), shown, sizeof shown));
            return false;
        }
    }
    return true;
}

/* Where cases are by stage, the stage of each stands in a field, so that one can learn from it. */
static bool stage_field_read(const json_t *root, struct measure_policy *policy,
                             struct proto_fault *fault)
{
    bool named = json_object_get(root, "stage_field") != NULL;
    if (!policy->by_stage) {
        return !named || bad(fault, "stage_field", "it goes with \"case\": \"stage\"");
    }
    return named ? measure_policy_text(root, "stage_field", &policy->stage_field, fault)
                 : bad(fault, "stage_field",
                       "cases by stage need it: the category of the schema that has the stage of "
                       "a case");
}

static bool case_read(const json_t *root, struct measure_policy *policy, struct proto_fault *fault)
{
    struct proto_span text = proto_span_text("account");
    if (json_object_get(root, "case") != NULL && !measure_policy_text(root, "case", &text, fault)) {
        return false;
    }
    policy->by_stage = proto_span_is(text, "stage");
    policy->by_subject = policy->by_stage || proto_span_is(text, "subject");
    if (!policy->by_subject && !proto_span_is(text, "account")) {
        return bad(fault, "case",
                   "\"account\", one case each, \"subject\", one for each opportunity that the "
                   "moment names, or \"stage\", one for each stage of those, is wanted");
    }
    return stage_field_read(root, policy, fault);
}

/* Outcomes that end a subject, of any kind. */
static void end_match_add(struct measure_policy *policy)
{
    policy->end_match = (uint32_t)policy->match_count;
    policy->matches[policy->match_count++] = (struct measure_match){.type = EVENT_OUTCOME};
}

static bool moment_read(const json_t *root, struct measure_policy *policy,
                        struct proto_fault *fault)
{
    static const char prefix[] = "field:";
    struct measure_match *match = &policy->matches[MATCH_MOMENT];
    struct proto_span text = {NULL, 0};
    policy->matches[MATCH_MOMENT] = policy->matches[MATCH_NPS] =
        (struct measure_match){.type = EVENT_TYPE_COUNT};
    policy->match_count = MATCHES_ALWAYS;
    policy->nps_match = MATCH_NPS;
    if (!measure_policy_text(root, "moment", &text, fault)) {
        return false;
    }
    size_t bytes = sizeof prefix - 1;
    if (proto_span_is(text, "customer")) {
        policy->moment = MEASURE_MOMENT_CUSTOMER;
        policy->reads_revenue = true;
    } else if (text.bytes > bytes && memcmp(text.data, prefix, bytes) == 0) {
        policy->moment = MEASURE_MOMENT_FIELD;
        policy->moment_field = (struct proto_span){text.data + bytes, text.bytes - bytes};
    } else {
        policy->moment = MEASURE_MOMENT_EVENT;
        match->of_account = !policy->by_subject;
        if (!measure_policy_match(text, "moment", match, fault)) {
            size_t used = strlen(fault->message);
            (void)snprintf(fault->message + used, sizeof fault->message - used,
                           "; and customer, field:NAME");
            return false;
        }
    }
    bool staged = policy->moment == MEASURE_MOMENT_EVENT && match->type == EVENT_STAGE;
    if (policy->by_stage && !staged) {
        return bad(fault, "moment",
                   "cases by stage begin with \"stage\", any of them, or with one, such as "
                   "\"stage:demo\"");
    }
    bool named = policy->moment == MEASURE_MOMENT_EVENT &&
                 (event_type_takes(match->type) & EVENT_HAS_SUBJECT) != 0;
    return !policy->by_subject || named ||
           bad(fault, "moment",
               "cases by subject begin with an event that has one, such as "
               "\"stage:created\"");
}

static bool archetype_name(const json_t *object, const struct measure_policy *policy,
                           struct measure_archetype *archetype, struct proto_fault *fault)
{
    static const char *const taken[] = {"open", "none", "without", "all"};
    if (!measure_policy_text(object, "name", &archetype->name, fault)) {
        return false;
    }
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        if (proto_span_is(archetype->name, taken[i])) {
            return bad(fault, "name", "open, none, without and all mean something of their own");
        }
    }
    for (size_t i = 0; i < policy->archetype_count; i++) {
        if (proto_span_equal(policy->archetypes[i].name, archetype->name)) {
            return bad(fault, "name", "an archetype of this name stands above");
        }
    }
    return archetype->name.bytes <= NAME_BYTES_MAX ||
           bad(fault, "name", "a name has 63 bytes at most");
}

static bool archetype_read(const json_t *object, struct measure_policy *policy,
                           struct proto_fault *fault)
{
    static const char *const members[] = {"name", "when"};
    struct measure_archetype *archetype = &policy->archetypes[policy->archetype_count];
    const json_t *when = json_object_get(object, "when");
    if (!json_is_object(object)) {
        return bad(fault, "", "an archetype is {\"name\": …, \"when\": [conditions]}");
    }
    if (!feature_json_members_known(object, members, 2, PROTO_BAD_DOCUMENT, fault) ||
        !archetype_name(object, policy, archetype, fault)) {
        return false;
    }
    size_t count = json_array_size(when);
    if (count == 0 || count > MEASURE_CONDITIONS_MAX) {
        return bad(fault, "when", "a list of 1 to 8 conditions, all of which hold, is wanted");
    }
    for (size_t i = 0; i < count; i++) {
        if (!measure_policy_condition(json_array_get(when, i), policy, &archetype->conditions[i],
                                      fault)) {
            char path[sizeof fault->field];
            (void)snprintf(path, sizeof path, "when[%zu]%s%.100s", i,
                           fault->field[0] != '\0' ? "." : "", fault->field);
            memcpy(fault->field, path, sizeof path);
            return false;
        }
    }
    archetype->condition_count = count;
    policy->archetype_count++;
    return true;
}

static bool archetypes_read(const json_t *root, struct measure_policy *policy,
                            struct proto_fault *fault)
{
    const json_t *list = json_object_get(root, "archetypes");
    size_t count = json_array_size(list);
    if (count == 0 || count > MEASURE_ARCHETYPES_MAX) {
        return bad(fault, "archetypes",
                   "a list of 1 to 16 archetypes is wanted, the first that holds is the case's");
    }
    for (size_t i = 0; i < count; i++) {
        if (!archetype_read(json_array_get(list, i), policy, fault)) {
            char path[sizeof fault->field];
            (void)snprintf(path, sizeof path, "archetypes[%zu]%s%.120s", i,
                           fault->field[0] != '\0' ? "." : "", fault->field);
            memcpy(fault->field, path, sizeof path);
            return false;
        }
    }
    return true;
}

/* The place of the archetype, or that of none of them. */
static bool archetype_find(const struct measure_policy *policy, struct proto_span name,
                           size_t *found, struct proto_fault *fault)
{
    char names[200] = "";
    char shown[FEATURE_SHOWN_BYTES];
    size_t used = 0;
    for (size_t i = 0; i <= policy->archetype_count; i++) {
        struct proto_span known = measure_policy_archetype(policy, i);
        if (proto_span_equal(known, name)) {
            *found = i;
            return true;
        }
        if (used < sizeof names) {
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "",
                                     feature_text_show(known, shown, sizeof shown));
        }
    }
    return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "",
                           "there is no archetype '%s' here; there are %s",
                           feature_text_show(name, shown, sizeof shown), names);
}

static bool side_read(const json_t *root, const char *member, const struct measure_policy *policy,
                      uint32_t *bits, struct proto_fault *fault)
{
    const json_t *list = json_object_get(root, member);
    if (json_array_size(list) == 0) {
        return bad(fault, member, "a list of names of archetypes is wanted");
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *name = json_array_get(list, i);
        size_t found = 0;
        if (!json_is_string(name)) {
            (void)bad(fault, "", "the name of an archetype is wanted");
        } else if (archetype_find(policy, feature_json_span(name), &found, fault)) {
            *bits |= UINT32_C(1) << found;
            continue;
        }
        (void)snprintf(fault->field, sizeof fault->field, "%s[%zu]", member, i);
        return false;
    }
    return true;
}

/* outstanding and good are positive, all others negative, unless the document says otherwise. */
static bool sides_read(const json_t *root, struct measure_policy *policy, struct proto_fault *fault)
{
    uint32_t all = (UINT32_C(2) << policy->archetype_count) - 1;
    if (json_object_get(root, "positive") != NULL) {
        if (!side_read(root, "positive", policy, &policy->positive, fault)) {
            return false;
        }
    } else {
        for (size_t i = 0; i < policy->archetype_count; i++) {
            bool good = proto_span_is(policy->archetypes[i].name, "good") ||
                        proto_span_is(policy->archetypes[i].name, "outstanding");
            policy->positive |= good ? UINT32_C(1) << i : 0;
        }
        if (policy->positive == 0) {
            return bad(fault, "positive",
                       "it names the archetypes that are learned as positive: none of them is "
                       "called outstanding or good");
        }
    }
    if (json_object_get(root, "negative") == NULL) {
        policy->negative = all & ~policy->positive;
    } else if (!side_read(root, "negative", policy, &policy->negative, fault)) {
        return false;
    }
    if ((policy->positive & policy->negative) != 0) {
        return bad(fault, "negative", "an archetype is positive or negative, not both");
    }
    return true;
}

static bool longer(struct measure_wait a, struct measure_wait b)
{
    return measure_wait_later(a, 0) > measure_wait_later(b, 0);
}

/* At least as long as what counts from the moment; what counts from elsewhere, or has no end, needs
 * that it is said. */
static bool maturity_read(const json_t *root, struct measure_policy *policy,
                          struct proto_fault *fault)
{
    struct measure_wait longest = {0, 0};
    bool said = json_object_get(root, "maturity") != NULL;
    if (said && !measure_policy_wait(root, "maturity", &policy->maturity, fault)) {
        return false;
    }
    for (size_t a = 0; a < policy->archetype_count; a++) {
        const struct measure_archetype *archetype = &policy->archetypes[a];
        for (size_t i = 0; i < archetype->condition_count; i++) {
            const struct measure_condition *condition = &archetype->conditions[i];
            bool ends = condition->waits && condition->anchor == MEASURE_FROM_MOMENT;
            if (!ends && !said) {
                return bad(fault, "maturity",
                           "it is needed, such as \"18 months\", for a condition has no end or "
                           "counts from something else than the moment");
            }
            if (ends && longer(condition->wait, longest)) {
                longest = condition->wait;
            }
        }
    }
    policy->maturity = said ? policy->maturity : longest;
    return !longer(longest, policy->maturity) ||
           bad(fault, "maturity",
               "a case matures when its conditions are over, not before: one of "
               "them waits longer from the moment on");
}

static bool timeless_read(const json_t *root, struct measure_policy *policy,
                          struct proto_fault *fault)
{
    const json_t *list = json_object_get(root, "timeless");
    size_t count = json_array_size(list);
    if (list == NULL) {
        return true;
    }
    if (!json_is_array(list) || count > MEASURE_TIMELESS_MAX) {
        return bad(fault, "timeless", "a list of at most 256 names of fields is wanted");
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *name = json_array_get(list, i);
        if (!json_is_string(name)) {
            char path[32];
            (void)snprintf(path, sizeof path, "timeless[%zu]", i);
            return bad(fault, path, "the name of a field is wanted");
        }
        policy->timeless[policy->timeless_count++] = feature_json_span(name);
    }
    return true;
}

static bool root_read(const json_t *root, struct measure_policy *policy, struct proto_fault *fault)
{
    static const char *const members[] = {"policy",   "name",       "case",       "moment",
                                          "maturity", "archetypes", "positive",   "negative",
                                          "rules",    "timeless",   "stage_field"};
    const json_t *format = json_object_get(root, "policy");
    if (!json_is_object(root)) {
        return bad(fault, "", "a policy is an object; docs/policy.md has examples");
    }
    if (!feature_json_members_known(root, members, sizeof members / sizeof *members,
                                    PROTO_BAD_DOCUMENT, fault)) {
        return false;
    }
    if (!json_is_integer(format) || json_integer_value(format) != POLICY_FORMAT) {
        return bad(fault, "policy", "the format of the document, 1, is wanted");
    }
    if (!measure_policy_text(root, "name", &policy->name, fault)) {
        return false;
    }
    if (policy->name.bytes > PROTO_ICP_NAME_BYTES_MAX) {
        return bad(fault, "name", "a name has 127 bytes at most");
    }
    bool good = rules_read(root, policy, fault) && case_read(root, policy, fault) &&
                moment_read(root, policy, fault) && archetypes_read(root, policy, fault) &&
                sides_read(root, policy, fault) && maturity_read(root, policy, fault) &&
                timeless_read(root, policy, fault);
    if (good && policy->by_stage) {
        end_match_add(policy);
    }
    return good;
}

struct measure_policy *measure_policy_read(struct proto_span text, struct proto_fault *fault)
{
    json_t *root = feature_json_load(text, PROTO_BAD_DOCUMENT, fault);
    if (root == NULL) {
        return NULL;
    }
    struct measure_policy *policy = calloc(1, sizeof *policy);
    if (policy == NULL) {
        json_decref(root);
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the policy");
        return NULL;
    }
    policy->root = root;
    if (!root_read(root, policy, fault)) {
        if (fault->code == PROTO_BAD_DOCUMENT) {
            (void)feature_json_fault_place(text, fault);
        }
        measure_policy_destroy(policy);
        return NULL;
    }
    return policy;
}
