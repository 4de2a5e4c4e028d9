/* SPDX-License-Identifier: Apache-2.0 */
/* A definition as a document: read member by member, each that is missing or unknown told by name,
 * line and column; printed in one order, so that equal definitions are equal bytes. */
#include <stdio.h>
#include <string.h>

#include "server/feature/json_place.h"
#include "server/feature/json_text.h"
#include "server/measure/metric_registry.h"

/* What a document need not say. */
enum open { OPEN_NOTHING = 0, OPEN_VERSION = 1, OPEN_RULES = 2 };

static bool text_member(const json_t *root, const char *name, struct proto_span *text,
                        struct proto_fault *fault)
{
    const json_t *member = json_object_get(root, name);
    if (!json_is_string(member)) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, name,
                               "a definition has a text '%s'; here is %s", name,
                               member != NULL ? feature_json_kind(member) : "none");
    }
    *text = feature_json_span(member);
    return true;
}

static bool rules_read(const json_t *object, enum open open, struct measure_rules *rules,
                       struct proto_fault *fault)
{
    const char *names[MEASURE_RULE_RATES];
    for (int rule = 0; rule < MEASURE_RULE_RATES; rule++) {
        names[rule] = measure_rule_name((enum measure_rule)rule);
        struct proto_span choice = {NULL, 0};
        if ((open & OPEN_RULES) != 0 && json_object_get(object, names[rule]) == NULL) {
            continue; /* it is the usual choice already */
        }
        if (!text_member(object, names[rule], &choice, fault) ||
            !measure_rules_set(rules, proto_span_text(names[rule]), choice, fault)) {
            fault->code = PROTO_BAD_DOCUMENT;
            return proto_fault_within(fault, "rules");
        }
    }
    return feature_json_members_known(object, names, MEASURE_RULE_RATES, PROTO_BAD_DOCUMENT,
                                      fault) ||
           proto_fault_within(fault, "rules");
}

static bool rates_read(const json_t *object, struct measure_rules *rules, struct proto_fault *fault)
{
    void *at = json_object_iter((json_t *)(uintptr_t)object);
    for (; at != NULL; at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
        char name[32];
        const json_t *rate = json_object_iter_value(at);
        snprintf(name, sizeof name, "rate-%.20s", json_object_iter_key(at));
        if (!json_is_string(rate) ||
            !measure_rules_set(rules, proto_span_text(name), feature_json_span(rate), fault)) {
            return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "rates",
                                   "a rate is a text such as \"EUR\": \"1.08\", at '%.20s'",
                                   json_object_iter_key(at));
        }
    }
    return true;
}

static bool version_read(const json_t *root, enum open open, uint32_t *number,
                         struct proto_fault *fault)
{
    const json_t *version = json_object_get(root, "version");
    if ((open & OPEN_VERSION) != 0 && version == NULL) {
        return true;
    }
    if (!json_is_integer(version) || json_integer_value(version) < 1 ||
        json_integer_value(version) > INT32_MAX) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "version",
                               "a version is a whole number from 1");
    }
    *number = (uint32_t)json_integer_value(version);
    return true;
}

/* One of engagement has no rules, and no other has weights. */
static bool members_known(const json_t *root, struct proto_fault *fault)
{
    static const char *const of_rules[] = {"metric", "version", "name",   "currency",
                                           "rates",  "rules",   "author", "note"};
    static const char *const of_engagement[] = {"metric", "version", "name", "weights",
                                                "bands",  "author",  "note"};
    const char *metric = json_string_value(json_object_get(root, "metric"));
    bool weighs =
        metric != NULL && strcmp(metric, measure_metric_info(MEASURE_METRIC_ENGAGEMENT)->name) == 0;
    return feature_json_members_known(root, weighs ? of_engagement : of_rules, weighs ? 7 : 8,
                                      PROTO_BAD_DOCUMENT, fault);
}

static bool head_read(const json_t *root, enum open open, struct measure_definition *definition,
                      struct proto_fault *fault)
{
    struct proto_span metric = {NULL, 0};
    struct proto_span name = {NULL, 0};
    char word[MEASURE_NAME_BYTES];
    if (!members_known(root, fault) || !text_member(root, "metric", &metric, fault) ||
        !text_member(root, "name", &name, fault)) {
        return false;
    }
    snprintf(word, sizeof word, "%.*s", (int)metric.bytes, (const char *)metric.data);
    definition->metric = measure_metric_find(word);
    if (definition->metric == MEASURE_METRICS) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "metric", "there is no metric '%s'",
                               word);
    }
    if (name.bytes == 0 || name.bytes >= MEASURE_NAME_BYTES) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "name", "a name has 1 to %d bytes",
                               MEASURE_NAME_BYTES - 1);
    }
    memcpy(definition->name, name.data, name.bytes);
    return version_read(root, open, &definition->version, fault);
}

/* A text that may be left out. */
static bool said_read(const json_t *root, const char *name, char *room, size_t room_bytes,
                      struct proto_fault *fault)
{
    struct proto_span text = {NULL, 0};
    if (json_object_get(root, name) == NULL) {
        return true;
    }
    if (!text_member(root, name, &text, fault)) {
        return false;
    }
    if (text.bytes >= room_bytes) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, name, "it has at most %zu bytes, not %zu",
                               room_bytes - 1, text.bytes);
    }
    if (text.bytes > 0) {
        memcpy(room, text.data, text.bytes);
    }
    return true;
}

static bool root_read(const json_t *root, enum open open, struct measure_definition *definition,
                      struct proto_fault *fault)
{
    struct measure_rules *rules = &definition->rules;
    struct proto_span currency = {NULL, 0};
    if (!head_read(root, open, definition, fault) ||
        !said_read(root, "author", definition->author, sizeof definition->author, fault) ||
        !said_read(root, "note", definition->note, sizeof definition->note, fault)) {
        return false;
    }
    if (definition->metric == MEASURE_METRIC_ENGAGEMENT) {
        return measure_engagement_read(root, &definition->engagement, fault);
    }
    return text_member(root, "currency", &currency, fault) &&
           (currency.bytes == 0 ||
            measure_rules_set(rules, proto_span_text(MEASURE_RULE_CURRENCY), currency, fault)) &&
           rates_read(json_object_get(root, "rates"), rules, fault) &&
           rules_read(json_object_get(root, "rules"), open, rules, fault);
}

static bool document_read(struct proto_span text, enum open open,
                          struct measure_definition *definition, struct proto_fault *fault)
{
    *definition = (struct measure_definition){.version = 0};
    measure_rules_default(&definition->rules);
    measure_engagement_default(&definition->engagement);
    json_t *root = feature_json_load(text, PROTO_BAD_DOCUMENT, fault);
    if (root == NULL) {
        return false;
    }
    bool good = root_read(root, open, definition, fault);
    json_decref(root);
    if (!good && fault->code == PROTO_BAD_FIELD) {
        fault->code = PROTO_BAD_DOCUMENT; /* the document is what is at fault */
    }
    if (!good && fault->code == PROTO_BAD_DOCUMENT) {
        (void)feature_json_fault_place(text, fault);
    }
    return good;
}

bool measure_definition_read(struct proto_span text, struct measure_definition *definition,
                             struct proto_fault *fault)
{
    return document_read(text, OPEN_NOTHING, definition, fault);
}

bool measure_definition_draft(struct proto_span text, struct measure_definition *definition,
                              struct proto_fault *fault)
{
    return document_read(text, OPEN_VERSION, definition, fault);
}

bool measure_definition_stored(struct proto_span text, struct measure_definition *definition,
                               struct proto_fault *fault)
{
    return document_read(text, OPEN_RULES, definition, fault);
}

static bool said_set(json_t *root, const char *name, const char *text)
{
    return text[0] == '\0' || json_object_set_new(root, name, json_string(text)) == 0;
}

bool measure_definition_same(const struct measure_definition *a, const struct measure_definition *b)
{
    return a->metric == b->metric && measure_rules_differ(&a->rules, &b->rules) == 0 &&
           measure_engagement_same(&a->engagement, &b->engagement);
}

/* Members "currency", "rates" and "rules" put into *root; false without memory. */
static bool rules_print(const struct measure_rules *from, json_t *root)
{
    json_t *rates = json_object();
    json_t *rules = json_object();
    for (uint32_t i = 0; i < from->rate_count; i++) {
        const struct measure_rate *rate = &from->rates[i];
        char text[40];
        snprintf(text, sizeof text, "%lld.%06lld", (long long)(rate->millionths / MEASURE_RATE_ONE),
                 (long long)(rate->millionths % MEASURE_RATE_ONE));
        json_object_set_new(rates, rate->currency, json_string(text));
    }
    for (int rule = 0; rule < MEASURE_RULE_RATES; rule++) {
        enum measure_choice choice = (enum measure_choice)from->choice[rule];
        json_object_set_new(rules, measure_rule_name((enum measure_rule)rule),
                            json_string(measure_choice_info(choice)->word));
    }
    bool whole = json_object_size(rates) == from->rate_count &&
                 json_object_size(rules) == MEASURE_RULE_RATES;
    /* Both are taken, also where it fails. */
    whole &= json_object_set_new(root, "rates", rates) == 0;
    whole &= json_object_set_new(root, "rules", rules) == 0;
    return whole && json_object_set_new(root, "currency", json_string(from->base)) == 0;
}

char *measure_definition_print(const struct measure_definition *definition)
{
    json_t *root = json_pack("{s:s, s:s}", "metric", measure_metric_info(definition->metric)->name,
                             "name", definition->name);
    bool whole = root != NULL && (definition->metric == MEASURE_METRIC_ENGAGEMENT
                                      ? measure_engagement_print(&definition->engagement, root)
                                      : rules_print(&definition->rules, root));
    if (definition->version > 0) {
        whole =
            whole && json_object_set_new(root, "version", json_integer(definition->version)) == 0;
    }
    whole = whole && said_set(root, "author", definition->author) &&
            said_set(root, "note", definition->note);
    char *text =
        whole ? json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(15)) : NULL;
    json_decref(root);
    return text;
}
